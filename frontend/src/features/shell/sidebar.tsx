import { Kbd, UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useId } from "react";
import { Brand } from "@/components/brand";
import { Bell } from "@/features/alerts/bell";
import type { NavigationEntry } from "@/features/shell/navigation";
import { useNavigation } from "@/features/shell/use-navigation";
import { UserMenu } from "@/features/shell/user-menu";
import classes from "./shell.module.css";

interface Props {
  onSearch: () => void;
}

const isMac = /mac|iphone|ipad/i.test(navigator.userAgent);

export function Sidebar({ onSearch }: Props) {
  const sections = useNavigation();
  return (
    <div className={classes.sidebar}>
      <div className={classes.top}>
        <div className={classes.brand}>
          <Brand />
          <Bell />
        </div>
        <UnstyledButton className={classes.search} onClick={onSearch} aria-haspopup="dialog">
          <IconSearch size={15} aria-hidden />
          <span>Search</span>
          <Kbd size="xs" aria-hidden>
            {isMac ? "⌘" : "Ctrl"} K
          </Kbd>
        </UnstyledButton>
      </div>
      <div className={classes.scroll}>
        {sections.map((section) => (
          <Section key={section.label} label={section.label} entries={section.entries} />
        ))}
      </div>
      <div className={classes.bottom}>
        <UserMenu />
      </div>
    </div>
  );
}

interface SectionProps {
  label: string;
  entries: NavigationEntry[];
}

function Section({ label, entries }: SectionProps) {
  const id = useId();
  return (
    <>
      <div id={id} className={classes.sectionLabel}>
        {label}
      </div>
      <ul aria-labelledby={id} className={classes.section}>
        {entries.map(({ path, icon: Glyph, label: name }) => (
          <li key={path}>
            <Link
              to={path as "/"}
              activeOptions={{ exact: path === "/" || path === "/admin", includeSearch: false }}
              className={classes.link}
              activeProps={{ "data-active": true }}
            >
              <Glyph size={18} stroke={1.7} aria-hidden />
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
