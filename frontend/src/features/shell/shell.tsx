import { Burger, Group } from "@mantine/core";
import { useDisclosure, useHotkeys, useWindowEvent } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { Brand } from "@/components/brand";
import { sessionQuery } from "@/features/session/queries";
import { Sidebar } from "@/features/shell/sidebar";
import classes from "./shell.module.css";

const Palette = lazy(() => import("@/features/palette/palette"));
const Leaving = lazy(() => import("@/features/shell/leaving"));

/** What surrounds every page of a signed-in person. */
export function Shell() {
  const { data: session } = useQuery(sessionQuery);
  const { pathname, href } = useLocation();
  if (session === null) {
    // On the way there already.
    if (pathname === "/sign-in") return null;
    return <Navigate to="/sign-in" search={{ next: href }} replace />;
  }
  return <Frame />;
}

function Frame() {
  const [opened, { close, toggle }] = useDisclosure(false);
  const [searching, search] = useDisclosure(false);
  const [searched, setSearched] = useState(false);
  const { pathname } = useLocation();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the sidebar that led to it
  useEffect(close, [pathname]);
  useWindowEvent("keydown", (event) => {
    if (event.key === "Escape") close();
  });

  const startSearch = (): void => {
    setSearched(true);
    search.open();
  };
  useHotkeys([["mod+K", startSearch]], []);

  return (
    <div className={classes.layout}>
      <a href="#content" className={classes.skip}>
        Skip to content
      </a>
      <header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Brand />
          <Burger
            opened={opened}
            onClick={toggle}
            size="sm"
            aria-label={opened ? "Close navigation" : "Open navigation"}
            aria-expanded={opened}
            aria-controls="navigation"
          />
        </Group>
      </header>
      <nav
        id="navigation"
        aria-label="Main"
        className={classes.navbar}
        data-closed={!opened || undefined}
      >
        <Sidebar onSearch={startSearch} />
      </nav>
      <main id="content" tabIndex={-1} className={classes.main}>
        <div className={classes.page}>
          <Outlet />
        </div>
      </main>
      <Suspense fallback={null}>
        <Leaving />
      </Suspense>
      {searched ? (
        <Suspense fallback={null}>
          <Palette opened={searching} onClose={search.close} />
        </Suspense>
      ) : null}
    </div>
  );
}
