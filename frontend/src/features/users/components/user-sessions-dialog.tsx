import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Loaded } from "@/components/loaded";
import { When } from "@/components/when";
import { useEndUserSessions } from "@/features/users/mutations";
import { type UserDetail, userName, userSessionsQuery } from "@/features/users/queries";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";

interface Props {
  user: UserDetail;
  opened: boolean;
  onClose: () => void;
}

/** Where somebody is signed in, and the way to end all of it at once. */
export default function UserSessionsDialog({ user, opened, onClose }: Props) {
  const query = useQuery({ ...userSessionsQuery(user.id), enabled: opened });
  const end = useEndUserSessions();
  const [problem, setProblem] = useState<string | null>(null);
  const none = (query.data?.length ?? 0) === 0;

  async function endAll(): Promise<void> {
    setProblem(null);
    try {
      const count = await end.mutateAsync(user.id);
      notifySuccess(`${plural(count, "session")} of ${userName(user)} ended.`);
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<Text fw={600}>Sessions of {userName(user)}</Text>}
    >
      <Stack gap="md">
        <Loaded query={query}>
          {(sessions) =>
            sessions.length === 0 ? (
              <Text size="sm" c="dimmed">
                Signed in nowhere.
              </Text>
            ) : (
              <Stack component="ul" gap="xs" m={0} p={0} aria-label="Sessions">
                {sessions.map(({ id, client, address, lastSeenAt }) => (
                  <li key={id} style={{ listStyle: "none" }}>
                    <Text size="sm" fw={500}>
                      {client}
                    </Text>
                    <Text size="xs" c="dimmed" component="div">
                      {address}, last seen <When at={lastSeenAt} />
                    </Text>
                  </li>
                ))}
              </Stack>
            )
          }
        </Loaded>
        {none ? null : (
          <Text size="sm">
            Ending them asks for the password again at once. API keys go on working; suspend the
            user to stop those, too.
          </Text>
        )}
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            Close
          </Button>
          {none ? null : (
            <Button color="red" loading={end.isPending} onClick={() => void endAll()}>
              Sign out everywhere
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
