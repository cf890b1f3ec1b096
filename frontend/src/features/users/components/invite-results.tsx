import { Alert, Box, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { CopyButton } from "@/components/copy-button";
import type { InviteResult } from "@/features/users/components/invite-dialog";
import { plural } from "@/lib/numbers";

interface Props {
  results: InviteResult[];
  onDone: () => void;
  /** Goes back to the form with the addresses that failed. */
  onRetry: (addresses: string[]) => void;
}

export function InviteResults({ results, onDone, onRetry }: Props) {
  const failed = results.filter(({ error }) => error !== null);
  const links = results.filter(({ inviteUrl }) => inviteUrl !== null);
  return (
    <Stack gap="md">
      <Text size="sm" role="status">
        {plural(results.length - failed.length, "user")} invited
        {failed.length > 0 ? `, ${failed.length} not` : ""}.
      </Text>
      {links.length > 0 ? (
        <Alert
          color="yellow"
          icon={<IconAlertTriangle aria-hidden />}
          title="Pass these links on now"
        >
          No mail is configured, so nothing was sent, and a link can't be shown again. Each works
          once, for 7 days.
        </Alert>
      ) : null}
      <Box mah={360} style={{ overflowY: "auto" }}>
        <Stack component="ul" gap="sm" m={0} p={0} aria-label="Result for each address">
          {results.map((result) => (
            <Group
              key={result.email}
              component="li"
              justify="space-between"
              wrap="nowrap"
              gap="md"
              style={{ listStyle: "none" }}
            >
              <div style={{ minWidth: 0 }}>
                <Text size="sm" fw={500} style={{ overflowWrap: "anywhere" }}>
                  {result.email}
                </Text>
                <Outcome result={result} />
              </div>
              {result.inviteUrl === null ? null : (
                <CopyButton value={result.inviteUrl} what={`link for ${result.email}`} compact />
              )}
            </Group>
          ))}
        </Stack>
      </Box>
      <Group justify="flex-end" gap="xs">
        {links.length > 1 ? (
          <CopyButton
            value={links.map(({ email, inviteUrl }) => `${email}\t${inviteUrl}`).join("\n")}
            what="all links"
          />
        ) : null}
        {failed.length > 0 ? (
          <Button variant="default" onClick={() => onRetry(failed.map(({ email }) => email))}>
            Correct the rest
          </Button>
        ) : null}
        <Button onClick={onDone}>Done</Button>
      </Group>
    </Stack>
  );
}

function Outcome({ result: { error, inviteUrl } }: { result: InviteResult }) {
  if (error !== null) {
    return (
      <Text size="xs" c="var(--mantine-color-error)">
        {error.message}
      </Text>
    );
  }
  return (
    <Text size="xs" c="dimmed" truncate {...(inviteUrl === null ? {} : { className: "mono" })}>
      {inviteUrl ?? "Sent by mail"}
    </Text>
  );
}
