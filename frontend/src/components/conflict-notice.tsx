import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { changedBy } from "@/lib/errors";

interface Props<T extends Record<string, unknown>> {
  /** Who changed it, where that is known. */
  message?: string | null;
  mine: T;
  theirs: T;
  labels: Partial<Record<keyof T, string>>;
  /** How a value reads where its text alone does not say it. */
  show?: (field: keyof T, value: unknown) => string;
  onTakeTheirs: () => void;
  onKeepMine: () => void;
}

/** Somebody else was quicker: what is there now beside what was typed, and the choice between the two. */
export function ConflictNotice<T extends Record<string, unknown>>(props: Props<T>) {
  const { mine, theirs, labels, show = plainly } = props;
  const fields = (Object.keys(labels) as (keyof T)[]).filter(
    (field) => JSON.stringify(mine[field]) !== JSON.stringify(theirs[field]),
  );
  return (
    <Alert color="yellow" role="alert" title="Somebody changed this while you were editing">
      <Stack gap="sm">
        <Text size="sm">{changedBy(props.message) || "Nothing of yours is saved yet."}</Text>
        {fields.length === 0 ? (
          <Text size="sm">What is there now is what you entered.</Text>
        ) : (
          <Stack component="ul" gap={4} m={0} pl="md" fz="sm">
            {fields.map((field) => (
              <li key={String(field)} style={{ overflowWrap: "anywhere" }}>
                {labels[field]}: now <b>{show(field, theirs[field])}</b>, you entered{" "}
                <b>{show(field, mine[field])}</b>
              </li>
            ))}
          </Stack>
        )}
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={props.onTakeTheirs}>
            Use what is there now
          </Button>
          <Button size="xs" variant="default" onClick={props.onKeepMine}>
            Keep mine
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}

const plainly = (_field: unknown, value: unknown): string =>
  value === "" || value === null || value === undefined ? "nothing" : String(value);
