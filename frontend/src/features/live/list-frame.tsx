import type { ReactNode } from "react";
import classes from "./live.module.css";

/** Of one height whatever is in it; the keyboard scrolls it. */
export function ListFrame({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className={classes.list} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
