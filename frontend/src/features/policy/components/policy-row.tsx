import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./policy-row.module.css";

interface Props {
  /** The field with the person's own value. */
  field: ReactNode;
  /** What holds after merging; absent where nothing is merged, as for a group. */
  inForce?: ReactNode;
}

/** One dimension or window: its own value on the left, what is in force on the right. */
export function PolicyRow({ field, inForce }: Props) {
  return (
    <div className={classes.row} data-split={inForce !== undefined || undefined}>
      <div>{field}</div>
      {inForce === undefined ? null : <div className={classes.inForce}>{inForce}</div>}
    </div>
  );
}

export function PolicyRows({ children }: { children: ReactNode }) {
  return <div className={classes.rows}>{children}</div>;
}

/** What the two sides are, where they stand side by side. */
export function PolicyColumns({ own, inForce }: { own: string; inForce: string }) {
  return (
    <div className={classes.head} aria-hidden>
      <Text size="xs" c="dimmed" fw={500}>
        {own}
      </Text>
      <Text size="xs" c="dimmed" fw={500}>
        {inForce}
      </Text>
    </div>
  );
}
