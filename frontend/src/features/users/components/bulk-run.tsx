import { Alert, Button, Group, List, Modal, Progress, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type ListedUser, userName } from "@/features/users/queries";
import { type Failure, runEach } from "@/features/users/run-each";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";
import { keys } from "@/lib/query-keys";

export interface BulkProps {
  users: ListedUser[];
  onClose: () => void;
  onDone: () => void;
}

interface Props extends BulkProps {
  title: string;
  /** What is chosen, and what will happen. */
  children: ReactNode;
  submitLabel: string;
  destructive?: boolean;
  disabled?: boolean;
  /** Whom it concerns; the others stay as they are. */
  concerned?: ListedUser[];
  act: (userIds: string[]) => Promise<unknown>;
  /** How many `act` takes at once; one where each can fail on its own. */
  lot?: number;
  /** "suspended", for the closing words. */
  done: string;
}

type Phase =
  | { at: "asking" }
  | { at: "running"; count: number }
  | { at: "over"; failures: Failure[] };

/** Asks, does it while a bar fills, and names those with whom it failed. */
export function BulkRun(props: Props) {
  const { users, concerned = users, act, lot = 1, onClose, onDone } = props;
  const [phase, setPhase] = useState<Phase>({ at: "asking" });
  const client = useQueryClient();
  const running = phase.at === "running";

  async function run(): Promise<void> {
    setPhase({ at: "running", count: 0 });
    const items = concerned.map((user) => ({ id: user.id, label: userName(user) }));
    const onProgress = (count: number) => setPhase({ at: "running", count });
    const failures = await runEach(items, { lot, act, onProgress });
    await Promise.all(
      [keys.users, keys.groups, keys.policies].map((queryKey) =>
        client.invalidateQueries({ queryKey }),
      ),
    );
    if (failures.length > 0) {
      setPhase({ at: "over", failures });
      return;
    }
    notifySuccess(`${plural(concerned.length, "user")} ${props.done}.`);
    onClose();
    onDone();
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={<Text fw={600}>{props.title}</Text>}
      closeOnClickOutside={!running}
      closeOnEscape={!running}
      withCloseButton={!running}
    >
      <Stack gap="md">
        {phase.at === "over" ? (
          <Failures failures={phase.failures} total={concerned.length} done={props.done} />
        ) : (
          props.children
        )}
        {phase.at === "running" ? (
          <Stack gap={6}>
            <Progress
              value={(phase.count / Math.max(1, concerned.length)) * 100}
              aria-label="Progress"
            />
            <Text size="xs" c="dimmed" role="status">
              {phase.count} of {concerned.length}
            </Text>
          </Stack>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {phase.at === "over" ? (
            <Button onClick={onClose}>Close</Button>
          ) : (
            <>
              <Button variant="default" onClick={onClose} disabled={running}>
                Cancel
              </Button>
              <Button
                {...(props.destructive ? { color: "red" } : {})}
                loading={running}
                disabled={concerned.length === 0 || props.disabled === true}
                onClick={() => void run()}
              >
                {props.submitLabel}
              </Button>
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

interface FailuresProps {
  failures: Failure[];
  total: number;
  done: string;
}

function Failures({ failures, total, done }: FailuresProps) {
  return (
    <Alert
      color="red"
      role="alert"
      title={failures.length < total ? `Not everybody was ${done}` : `Nobody was ${done}`}
    >
      <List size="sm" spacing={4}>
        {failures.map(({ label, problem }) => (
          <List.Item key={label}>
            <b>{label}</b>: {problem}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
