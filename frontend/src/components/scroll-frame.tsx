import type { ReactNode } from "react";
import classes from "./data-table.module.css";

interface Props {
  /** What is inside, for screen readers. */
  label: string;
  children: ReactNode;
}

/** Lets a table that is wider than a phone be scrolled sideways, by keyboard too. */
export function ScrollFrame({ label, children }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls only what has the focus
    <div className={classes.scroll} role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
