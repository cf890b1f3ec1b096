import { Box, Group, Stack, Text } from "@mantine/core";
import { CopyButton } from "@/components/copy-button";
import type { ImportedLine } from "@/features/users/importing";

interface Props {
  label: string;
  lines: ImportedLine[];
  done: boolean;
}

type Action = ImportedLine["action"];

const order: Action[] = ["REFUSED", "INVITED", "UPDATED", "UNCHANGED"];
const words: Record<Action, string> = {
  REFUSED: "left out",
  INVITED: "invited",
  UPDATED: "updated",
  UNCHANGED: "unchanged",
};

/** What becomes of each line, those at fault first; whoever stays the same is only counted. */
export function ImportLines({ label, lines, done }: Props) {
  const counts = order
    .map((action) => ({ action, count: lines.filter((line) => line.action === action).length }))
    .filter(({ count }) => count > 0);
  const shown = order
    .filter((action) => action !== "UNCHANGED")
    .flatMap((action) => lines.filter((line) => line.action === action));
  return (
    <Stack gap="sm">
      <Text size="sm" role="status">
        {counts.map(({ action, count }) => `${count} ${words[action]}`).join(", ")}
        {done ? "." : ", once you import it."}
      </Text>
      {shown.length === 0 ? null : (
        <Box mah={360} style={{ overflowY: "auto" }} tabIndex={0} role="region" aria-label={label}>
          <Stack component="ul" gap="sm" m={0} p={0}>
            {shown.map((line) => (
              <Group
                key={line.line}
                component="li"
                justify="space-between"
                wrap="nowrap"
                gap="md"
                style={{ listStyle: "none" }}
              >
                <div style={{ minWidth: 0, overflowWrap: "anywhere" }}>
                  <Text size="sm" fw={500}>
                    {line.email || "No address"}{" "}
                    <Text span size="xs" c="dimmed">
                      line {line.line}
                    </Text>
                  </Text>
                  <What line={line} />
                </div>
                {line.inviteUrl === null ? null : (
                  <CopyButton value={line.inviteUrl} what={`link for ${line.email}`} compact />
                )}
              </Group>
            ))}
          </Stack>
        </Box>
      )}
    </Stack>
  );
}

function What({ line }: { line: ImportedLine }) {
  if (line.error !== null) {
    return (
      <Text size="xs" c="var(--mantine-color-error)">
        Left out: {line.error.message}
      </Text>
    );
  }
  const changes = line.changes.map(({ field, before, after }) =>
    before === "" ? `${field} ${after}` : `${field} ${before} → ${after || "none"}`,
  );
  return (
    <Text size="xs" c="dimmed">
      {line.action === "INVITED" ? "New" : "Changed"}: {changes.join(", ")}
    </Text>
  );
}
