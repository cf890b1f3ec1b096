import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./policy-row.module.css";

interface Props {
  /** The field with the subject's own value. */
  field: ReactNode;
  /** What the groups of a user set; nothing for a pool, which merges with nothing. */
  groups?: ReactNode;
  inForce: ReactNode;
}

/** One dimension or window from left to right: its own value, those of groups, and what is in force. */
export function PolicyRow({ field, groups, inForce }: Props) {
  return (
    <div className={classes.row} data-merged={groups !== undefined || undefined}>
      <div>{field}</div>
      {groups === undefined ? null : <div className={classes.beside}>{groups}</div>}
      <div className={classes.beside}>{inForce}</div>
    </div>
  );
}

export function PolicyRows({ children }: { children: ReactNode }) {
  return <div className={classes.rows}>{children}</div>;
}

interface ColumnsProps {
  own: string;
  groups?: string;
  inForce: string;
}

/** What the sides are, where they stand side by side. */
export function PolicyColumns({ own, groups, inForce }: ColumnsProps) {
  const titles = groups === undefined ? [own, inForce] : [own, groups, inForce];
  return (
    <div className={classes.head} data-merged={groups !== undefined || undefined} aria-hidden>
      {titles.map((title) => (
        <Text key={title} size="xs" c="dimmed" fw={500}>
          {title}
        </Text>
      ))}
    </div>
  );
}
