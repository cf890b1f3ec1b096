import { AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure, useWindowEvent } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { Brand } from "@/components/brand";
import { sessionQuery } from "@/features/session/queries";
import { Sidebar } from "@/features/shell/sidebar";
import classes from "./shell.module.css";

/** What surrounds every page of a signed-in person. */
export function Shell() {
  const { data: session } = useQuery(sessionQuery);
  if (session === null) return <Navigate to="/sign-in" search={{}} replace />;
  return <Frame />;
}

function Frame() {
  const [opened, { close, toggle }] = useDisclosure(false);
  const { pathname } = useLocation();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the sidebar that led to it
  useEffect(close, [pathname]);
  useWindowEvent("keydown", (event) => {
    if (event.key === "Escape") close();
  });

  return (
    <AppShell
      header={{ height: { base: 54, sm: 0 } }}
      navbar={{
        width: { base: "100%", sm: 232 },
        breakpoint: "sm",
        collapsed: { mobile: !opened },
      }}
      padding={{ base: "md", sm: "xl" }}
      transitionDuration={0}
    >
      <a href="#content" className={classes.skip}>
        Skip to content
      </a>
      <AppShell.Header hiddenFrom="sm" className={classes.header}>
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
      </AppShell.Header>
      <AppShell.Navbar
        id="navigation"
        className={classes.navbar}
        data-closed={!opened || undefined}
        aria-label="Main"
      >
        <Sidebar />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <div className={classes.page}>
          <Outlet />
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
