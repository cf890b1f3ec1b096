import { Anchor, Text } from "@mantine/core";
import { useState } from "react";
import { type DiffLine, diffLines } from "@/features/audit/diff";
import type { AuditEvent } from "@/features/audit/queries";
import classes from "./difference.module.css";

interface Props {
  event: Pick<AuditEvent, "action" | "changes" | "targetLabel">;
}

const linesAtFirst = 4;
const valuesAtFirst = 4;

/** What a change changed, a line a field: what it was, and what it is. */
export function Difference({ event }: Props) {
  const [all, setAll] = useState(false);
  const lines = diffLines(event.action, event.changes).filter((line) => !repeats(line, event));
  if (lines.length === 0) return null;
  const long = ({ before, after }: DiffLine): boolean =>
    [before, after].some((values) => (values?.length ?? 0) > valuesAtFirst);
  const more = lines.length > linesAtFirst || lines.some(long);
  return (
    <>
      <dl className={classes.lines}>
        {lines.slice(0, all ? undefined : linesAtFirst).map((line) => (
          <div key={line.label} className={classes.line}>
            <dt>{line.label}</dt>
            <dd>
              {line.before === null ? null : (
                <Values values={line.before} all={all} className={classes.before} />
              )}
              {line.before && line.after ? " → " : null}
              {line.after === null ? null : <Values values={line.after} all={all} />}
            </dd>
          </div>
        ))}
      </dl>
      {more ? (
        <Anchor component="button" type="button" size="xs" onClick={() => setAll(!all)}>
          {all ? "Show less" : "Show all of it"}
        </Anchor>
      ) : null}
    </>
  );
}

/** Whether a line says just what the row says already: the name of something new or gone. */
const repeats = ({ before, after }: DiffLine, { targetLabel }: Props["event"]): boolean =>
  (before === null || after === null) && [before, after].some((it) => it?.[0] === targetLabel);

interface ValuesProps {
  values: string[];
  all: boolean;
  className?: string | undefined;
}

function Values({ values, all, className }: ValuesProps) {
  const shown = all ? values : values.slice(0, valuesAtFirst);
  return (
    <span className={className}>
      {shown.join(", ")}
      {shown.length < values.length ? (
        <Text span inherit c="dimmed">
          {" "}
          and {values.length - shown.length} more
        </Text>
      ) : null}
    </span>
  );
}
