import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { CodeBlock } from "@/components/code-block";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Who gets the link. */
  email: string;
  title: string;
  /** What making it does. */
  consequence: string;
  confirmLabel: string;
  /** "invitation link" */
  what: string;
  /** What was done when mail brings it. */
  sent: string;
  /** The link, or null when mail brings it. */
  act: () => Promise<string | null>;
}

/** Makes a one-time link for somebody, and shows it once where no mail brings it. */
export function LinkDialog(props: Props) {
  const { opened, onClose, email, what, act } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [link, setLink] = useState<string | null>(null);

  function close(): void {
    setLink(null);
    setProblem(null);
    onClose();
  }

  async function make(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      const url = await act();
      if (url === null) {
        notifySuccess(props.sent);
        close();
      } else setLink(url);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal
      opened={opened}
      onClose={close}
      title={<Text fw={600}>{link ? `New ${what}` : props.title}</Text>}
      closeOnClickOutside={link === null}
      closeOnEscape={link === null}
    >
      <Stack gap="md">
        {link === null ? (
          <Text size="sm">{props.consequence}</Text>
        ) : (
          <>
            <Text size="sm">
              No mail is configured: pass this link on to {email}. It can't be shown again.
            </Text>
            <CodeBlock code={link} what={what} />
          </>
        )}
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {link === null ? (
            <>
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button loading={busy} onClick={() => void make()}>
                {props.confirmLabel}
              </Button>
            </>
          ) : (
            <Button onClick={close}>Done</Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
