import { type ReactNode, useEffect, useRef, useState } from "react";
import classes from "./data-table.module.css";

interface Props {
  /** What scrolls, for screen readers. */
  label: string;
  children: ReactNode;
}

/** Scrolls sideways what is too broad for a small screen; the keyboard reaches it just when it does. */
export function ScrollFrame({ label, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [broad, setBroad] = useState(false);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setBroad(scrolls(element)));
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    return () => observer.disconnect();
  }, []);

  return (
    <div
      ref={box}
      className={classes.scroll}
      {...(broad
        ? { tabIndex: 0, role: "region", "aria-label": `${label}, scrolls sideways` }
        : {})}
    >
      {children}
    </div>
  );
}

const scrolls = (element: HTMLElement): boolean =>
  element.scrollWidth > element.clientWidth && getComputedStyle(element).overflowX !== "visible";
