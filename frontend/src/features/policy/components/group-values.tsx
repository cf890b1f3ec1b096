import { Anchor, Popover, Text } from "@mantine/core";
import { SourceName } from "@/features/policy/components/source";
import type { Override, PolicySource } from "@/features/policy/queries";
import classes from "./policy-row.module.css";

export interface GroupValue {
  source: PolicySource;
  /** As people read it: "30", "Blocked", "$20.00". */
  text: string;
  /** Whether it is what is in force. */
  holds: boolean;
}

interface Merged {
  source: PolicySource | null;
  override: Override | null;
}

/** What groups set of a merged value, and which of it holds. */
export const groupValues = <T extends { source: PolicySource }>(
  { source: setBy, override }: Merged,
  candidates: T[],
  textOf: (candidate: T) => string,
): GroupValue[] =>
  candidates
    .filter(({ source }) => source.kind === "GROUP")
    .map((candidate) => ({
      source: candidate.source,
      text: textOf(candidate),
      holds: override === null && setBy?.id === candidate.source.id,
    }));

interface Props {
  /** Strictest first. */
  values: GroupValue[];
  /** What the values are of. */
  label: string;
}

const atOnce = 3;

/** What each of the user's groups sets, the strictest first; many open in a list. */
export function GroupValues({ values, label }: Props) {
  if (values.length === 0) {
    return (
      <Text size="xs" c="dimmed">
        None
      </Text>
    );
  }
  return (
    <>
      <Lines label={`${label} by group`} values={values.slice(0, atOnce)} />
      {values.length <= atOnce ? null : (
        <Popover position="bottom-start" shadow="md" withinPortal trapFocus>
          <Popover.Target>
            <Anchor component="button" type="button" size="xs">
              All {values.length} groups
            </Anchor>
          </Popover.Target>
          <Popover.Dropdown p="sm" mah={320} style={{ overflowY: "auto" }}>
            <Lines label={`${label} by every group`} values={values} />
          </Popover.Dropdown>
        </Popover>
      )}
    </>
  );
}

function Lines({ label, values }: Props) {
  return (
    <ul className={classes.groups} aria-label={label}>
      {values.map(({ source, text, holds }) => (
        <li key={source.id} data-holds={holds || undefined}>
          <span>
            <SourceName source={source} />
          </span>
          <span className="numeric">{text}</span>
        </li>
      ))}
    </ul>
  );
}
