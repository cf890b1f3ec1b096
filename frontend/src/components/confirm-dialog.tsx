import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { changedBy, hasCode, messageOf } from "@/lib/errors";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What happens when this is done, and whether it can be undone. */
  consequence: ReactNode;
  confirmLabel: string;
  /** Red for what takes something away. */
  destructive?: boolean;
  onConfirm: () => Promise<unknown>;
}

export function ConfirmDialog({
  opened,
  onClose,
  title,
  consequence,
  confirmLabel,
  destructive = true,
  onConfirm,
}: Props) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  function close(): void {
    setProblem(null);
    onClose();
  }

  async function confirm(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await onConfirm();
      close();
    } catch (error) {
      setProblem(wordsOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal opened={opened} onClose={close} title={<Text fw={600}>{title}</Text>}>
      <Stack gap="md">
        <Text size="sm" component="div">
          {consequence}
        </Text>
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Cancel
          </Button>
          <Button
            {...(destructive ? { color: "red" } : {})}
            loading={busy}
            onClick={() => void confirm()}
          >
            {confirmLabel}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** What came between is on the page by now, so that it can be confirmed again as what it is. */
function wordsOf(error: unknown): string {
  if (!hasCode(error, "stale_version")) return messageOf(error);
  const who = changedBy(messageOf(error)) || "Somebody changed this meanwhile.";
  return `${who} Look at what is there now, and confirm again if you still want this.`;
}

interface ConfirmButtonProps extends Omit<Props, "opened" | "onClose"> {
  /** The control that opens the dialog. */
  trigger: (open: () => void) => ReactNode;
}

/** A control together with the question that it asks first. */
export function Confirmed({ trigger, ...dialog }: ConfirmButtonProps) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      {trigger(() => setOpened(true))}
      <ConfirmDialog {...dialog} opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}
