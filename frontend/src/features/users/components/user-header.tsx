import { ActionIcon, Button, Menu } from "@mantine/core";
import {
  IconDevices,
  IconDots,
  IconHistory,
  IconLockPassword,
  IconMail,
  IconMailOff,
  IconPencil,
  IconTrash,
} from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { ConfirmDialog, Confirmed } from "@/components/confirm-dialog";
import { FormDialog } from "@/components/form-dialog";
import { PageHeader } from "@/components/page-header";
import { When } from "@/components/when";
import { useSession } from "@/features/session/queries";
import { RoleBadge, StatusBadge } from "@/features/users/components/badges";
import { EditUserForm } from "@/features/users/components/edit-user-form";
import { LinkDialog } from "@/features/users/components/link-dialog";
import {
  useCreatePasswordLink,
  useDeleteUser,
  useReactivateUser,
  useResendInvitation,
  useSuspendUser,
  useWithdrawInvitation,
} from "@/features/users/mutations";
import { type UserDetail, userName } from "@/features/users/queries";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";

interface Props {
  user: UserDetail;
}

export function UserHeader({ user }: Props) {
  return (
    <PageHeader
      back={{ to: "/admin/users", label: "Users" }}
      title={userName(user)}
      badges={
        <>
          <RoleBadge role={user.role} />
          <StatusBadge status={user.status} />
        </>
      }
      description={
        <>
          {user.name ? `${user.email} · ` : ""}Created <When at={user.createdAt} /> · Last active{" "}
          <When at={user.lastActiveAt} none="never" />
        </>
      }
      actions={<Actions user={user} />}
    />
  );
}

const UserSessionsDialog = lazy(() => import("@/features/users/components/user-sessions-dialog"));

type Dialog = "edit" | "resend" | "password" | "sessions" | "withdraw" | "delete";

function Actions({ user }: Props) {
  const [dialog, setDialog] = useState<Dialog | null>(null);
  // Once asked for, it stays, so that it can fade away.
  const [askedForSessions, setAskedForSessions] = useState(false);
  const resend = useResendInvitation();
  const passwordLink = useCreatePasswordLink();
  const close = () => setDialog(null);
  const invited = user.status === "INVITED";
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPencil size={16} aria-hidden />}
        onClick={() => setDialog("edit")}
      >
        Edit
      </Button>
      {invited ? (
        <Button
          variant="default"
          leftSection={<IconMail size={16} aria-hidden />}
          onClick={() => setDialog("resend")}
        >
          Resend invitation
        </Button>
      ) : (
        <SuspendOrReactivate user={user} />
      )}
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More actions">
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconHistory size={16} aria-hidden />}
            renderRoot={(props) => (
              <Link to="/admin/audit-log" search={{ kind: "user", id: user.id }} {...props} />
            )}
          >
            Changes
          </Menu.Item>
          {invited ? null : (
            <Menu.Item
              leftSection={<IconDevices size={16} aria-hidden />}
              onClick={() => {
                setAskedForSessions(true);
                setDialog("sessions");
              }}
            >
              Sessions
            </Menu.Item>
          )}
          {user.status === "ACTIVE" ? (
            <Menu.Item
              leftSection={<IconLockPassword size={16} aria-hidden />}
              onClick={() => setDialog("password")}
            >
              New password link
            </Menu.Item>
          ) : null}
          {invited ? (
            <Menu.Item
              color="var(--mantine-color-error)"
              leftSection={<IconMailOff size={16} aria-hidden />}
              onClick={() => setDialog("withdraw")}
            >
              Withdraw invitation
            </Menu.Item>
          ) : (
            <Menu.Item
              color="var(--mantine-color-error)"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => setDialog("delete")}
            >
              Delete user
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <FormDialog opened={dialog === "edit"} onClose={close} title="Edit user">
        <EditUserForm user={user} onDone={close} />
      </FormDialog>
      <LinkDialog
        opened={dialog === "resend"}
        onClose={close}
        email={user.email}
        title="Resend the invitation?"
        consequence={`A new link is made for ${user.email}, good for 7 days. The old link stops working at once.`}
        confirmLabel="Resend invitation"
        what="invitation link"
        sent={`A new invitation was sent to ${user.email}.`}
        act={async () => (await resend.mutateAsync(user.id)) ?? null}
      />
      <LinkDialog
        opened={dialog === "password"}
        onClose={close}
        email={user.email}
        title="Make a password link?"
        consequence={`By it ${user.email} sets a new password, once, within one hour. An earlier link stops working; the present password works until then.`}
        confirmLabel="Make link"
        what="password link"
        sent={`A password link was sent to ${user.email}.`}
        act={() => passwordLink.mutateAsync(user.id)}
      />
      {askedForSessions ? (
        <Suspense>
          <UserSessionsDialog user={user} opened={dialog === "sessions"} onClose={close} />
        </Suspense>
      ) : null}
      <WithdrawDialog user={user} opened={dialog === "withdraw"} onClose={close} />
      <DeleteDialog user={user} opened={dialog === "delete"} onClose={close} />
    </>
  );
}

function SuspendOrReactivate({ user }: Props) {
  const suspend = useSuspendUser();
  const reactivate = useReactivateUser();
  const isSelf = useSession().viewer.user.id === user.id;
  const name = userName(user);
  if (user.status === "SUSPENDED") {
    return (
      <Confirmed
        key="reactivate"
        title={`Reactivate ${name}?`}
        consequence="Sign-in works again at once, and so do all API keys that are neither revoked nor expired."
        confirmLabel="Reactivate"
        destructive={false}
        onConfirm={async () => {
          await reactivate.mutateAsync(user);
          notifySuccess(`${name} is active again.`);
        }}
        trigger={(open) => <Button onClick={open}>Reactivate</Button>}
      />
    );
  }
  return (
    // Keyed, so that a closing question does not turn into the other one.
    <Confirmed
      key="suspend"
      title={`Suspend ${name}?`}
      consequence={
        <>
          {isSelf ? <p>This is your own account: you will be signed out.</p> : null}
          API keys and console sessions stop working at once; calls that are running finish.
          Settings, grants and history stay, and the user can be reactivated at any time.
        </>
      }
      confirmLabel="Suspend"
      onConfirm={async () => {
        await suspend.mutateAsync(user);
        notifySuccess(`${name} is suspended.`);
      }}
      trigger={(open) => (
        <Button variant="default" onClick={open}>
          Suspend
        </Button>
      )}
    />
  );
}

interface DialogProps extends Props {
  opened: boolean;
  onClose: () => void;
}

function useLeave() {
  const navigate = useNavigate();
  return () => navigate({ to: "/admin/users", ignoreBlocker: true });
}

function DeleteDialog({ user, opened, onClose }: DialogProps) {
  const remove = useDeleteUser(useLeave());
  const name = userName(user);
  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      title={`Delete ${name}?`}
      consequence={
        <>
          The account, {plural(user.apiKeys.length, "API key")}, all sessions, grants, limits and{" "}
          {plural(user.groups.length, "group membership")} go at once and for good. Past usage stays
          in the organisation's totals, shown as that of a deleted user.
        </>
      }
      confirmLabel="Delete user"
      onConfirm={async () => {
        await remove.mutateAsync(user.id);
        notifySuccess(`${name} is deleted.`);
      }}
    />
  );
}

function WithdrawDialog({ user, opened, onClose }: DialogProps) {
  const withdraw = useWithdrawInvitation(useLeave());
  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      title="Withdraw the invitation?"
      consequence={`The link of ${user.email} stops working at once, and the user is removed with everything that was set in advance.`}
      confirmLabel="Withdraw invitation"
      onConfirm={async () => {
        await withdraw.mutateAsync(user.id);
        notifySuccess(`The invitation of ${user.email} is withdrawn.`);
      }}
    />
  );
}
