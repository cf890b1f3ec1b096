import { Alert, Button, Group, List, Modal, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type BulkResult, countOf, type Selected, toSelection } from "@/features/users/bulk";
import type { UserSelectionInput } from "@/gql/graphql";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";
import { keys } from "@/lib/query-keys";

export interface BulkProps {
  selected: Selected;
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
  act: (users: UserSelectionInput) => Promise<BulkResult[]>;
  /** "suspended", for the closing words. */
  done: string;
}

/** Asks, does it in one request, and tells what came of whom unless it went well for everybody. */
export function BulkRun(props: Props) {
  const { selected, act, done, onClose, onDone } = props;
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [results, setResults] = useState<BulkResult[] | null>(null);
  const client = useQueryClient();

  function leave(): void {
    onClose();
    if (results) onDone();
  }

  async function run(): Promise<void> {
    setRunning(true);
    setProblem(null);
    try {
      const found = await act(toSelection(selected));
      await Promise.all(
        [keys.users, keys.groups, keys.policies].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      );
      if (found.some(({ outcome }) => outcome === "REFUSED")) {
        setResults(found);
      } else {
        notifySuccess(summary(found, done));
        onClose();
        onDone();
      }
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setRunning(false);
    }
  }

  return (
    <Modal
      opened
      onClose={leave}
      title={<Text fw={600}>{props.title}</Text>}
      closeOnClickOutside={!running}
      closeOnEscape={!running}
      withCloseButton={!running}
    >
      <Stack gap="md">
        {results ? <Results results={results} done={done} /> : props.children}
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {results ? (
            <Button onClick={leave}>Close</Button>
          ) : (
            <>
              <Button variant="default" onClick={onClose} disabled={running}>
                Cancel
              </Button>
              <Button
                {...(props.destructive ? { color: "red" } : {})}
                loading={running}
                disabled={countOf(selected) === 0 || props.disabled === true}
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

function summary(results: BulkResult[], done: string): string {
  const changed = results.filter(({ outcome }) => outcome === "DONE").length;
  const already = results.filter(({ outcome }) => outcome === "ALREADY").length;
  const first = `${plural(changed, "user")} ${done}`;
  return already === 0 ? `${first}.` : `${first}, ${already} before.`;
}

function Results({ results, done }: { results: BulkResult[]; done: string }) {
  const refused = results.filter(({ outcome }) => outcome === "REFUSED");
  return (
    <>
      <Text size="sm" role="status">
        {summary(results, done)}
      </Text>
      <Alert
        color="red"
        role="alert"
        title={`${plural(refused.length, "user")} left as before`}
        mah={320}
        style={{ overflowY: "auto" }}
      >
        <List size="sm" spacing={4}>
          {refused.map(({ userId, label, error }) => (
            <List.Item key={userId}>
              <b>{label || "Somebody who is gone"}</b>: {error?.message}
            </List.Item>
          ))}
        </List>
      </Alert>
    </>
  );
}
