import { Alert } from "@mantine/core";
import { IconMail, IconUserPause } from "@tabler/icons-react";
import { When } from "@/components/when";
import type { UserDetail } from "@/features/users/queries";

interface Props {
  user: UserDetail;
}

/** Why this person can't do anything yet, or any more. */
export function UserNotice({ user }: Props) {
  if (user.status === "ACTIVE") return null;
  if (user.status === "SUSPENDED") {
    return (
      <Alert color="red" icon={<IconUserPause aria-hidden />} title="Suspended">
        API keys and console sign-in are refused. Settings, grants and history are kept.
      </Alert>
    );
  }
  const expired =
    user.invitationExpiresAt === null || new Date(user.invitationExpiresAt).getTime() < Date.now();
  return (
    <Alert
      color={expired ? "yellow" : "blue"}
      icon={<IconMail aria-hidden />}
      title={expired ? "The invitation has expired" : "Invited"}
    >
      {expired ? (
        "The link no longer works. Resend the invitation to make a new one."
      ) : (
        <>
          The invitation is not accepted yet; its link dies <When at={user.invitationExpiresAt} />.
          Grants, limits and groups can be set already.
        </>
      )}
    </Alert>
  );
}
