import { Button, Stack } from "@mantine/core";
import { Confirmed } from "@/components/confirm-dialog";
import { When } from "@/components/when";
import { notifySuccess } from "@/lib/notify";

interface Props {
  token: { name: string; lastUsedAt: string | null };
  /** What those who use the token will notice. */
  consequence: string;
  onRevoke: () => Promise<unknown>;
}

/** Asks before a token ends for good, and says when it was last used. */
export function RevokeToken({ token: { name, lastUsedAt }, consequence, onRevoke }: Props) {
  return (
    <Confirmed
      title={`Revoke ${name}?`}
      consequence={
        <Stack gap={8}>
          <span>{consequence}</span>
          <span>
            Last used: <When at={lastUsedAt} none="never" />
          </span>
        </Stack>
      }
      confirmLabel="Revoke token"
      onConfirm={async () => {
        await onRevoke();
        notifySuccess(`${name} is revoked.`);
      }}
      trigger={(open) => (
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          onClick={open}
          aria-label={`Revoke ${name}`}
        >
          Revoke
        </Button>
      )}
    />
  );
}
