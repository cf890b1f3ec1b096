import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { CodeBlock } from "@/components/code-block";
import { useResendInvitation } from "@/features/users/mutations";
import type { UserDetail } from "@/features/users/queries";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";

interface Props {
  user: UserDetail;
  opened: boolean;
  onClose: () => void;
}

export function ResendDialog({ user, opened, onClose }: Props) {
  const resend = useResendInvitation();
  const [link, setLink] = useState<string | null>(null);

  function close(): void {
    setLink(null);
    resend.reset();
    onClose();
  }

  async function send(): Promise<void> {
    const url = await resend.mutateAsync(user.id).catch(() => undefined);
    if (url === undefined) return;
    if (url !== null) {
      setLink(url);
      return;
    }
    notifySuccess(`A new invitation was sent to ${user.email}.`);
    close();
  }

  return (
    <Modal
      opened={opened}
      onClose={close}
      title={<Text fw={600}>{link ? "New invitation link" : "Resend the invitation?"}</Text>}
      closeOnClickOutside={link === null}
      closeOnEscape={link === null}
    >
      <Stack gap="md">
        {link === null ? (
          <Text size="sm">
            A new link is made for {user.email}, good for 7 days. The old link stops working at
            once.
          </Text>
        ) : (
          <>
            <Text size="sm">
              No mail is configured: pass this link on to {user.email}. It can't be shown again.
            </Text>
            <CodeBlock code={link} what="invitation link" />
          </>
        )}
        {resend.isError ? (
          <Alert color="red" role="alert">
            {messageOf(resend.error)}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {link === null ? (
            <>
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button loading={resend.isPending} onClick={() => void send()}>
                Resend invitation
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
