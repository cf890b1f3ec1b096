import type { ReactNode } from "react";
import classes from "./detail-columns.module.css";

interface Props {
  main: ReactNode;
  side: ReactNode;
}

/** What is worked on beside what is looked up; one below the other where there is no room. */
export function DetailColumns({ main, side }: Props) {
  return (
    <div className={classes.columns}>
      <div className={classes.column}>{main}</div>
      <div className={classes.column}>{side}</div>
    </div>
  );
}
