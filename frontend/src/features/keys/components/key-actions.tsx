import { ActionIcon, Menu, Stack } from "@mantine/core";
import { IconBan, IconDots, IconPencil, IconRefresh } from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { When } from "@/components/when";
import type { EditableKey } from "@/features/keys/key-form";
import { useRevokeKey } from "@/features/keys/mutations";
import { notifySuccess } from "@/lib/notify";

// Few look at a key to change it, so what that takes comes when they do.
const EditKeyDialog = lazy(() => import("./edit-key-dialog"));
const RotateKeyDialog = lazy(() => import("./rotate-key-dialog"));

interface Props {
  apiKey: EditableKey & { status: string; lastUsedAt?: string | null };
  ownerId: string;
  /** Where the key is read from. */
  refresh: readonly unknown[];
  /** What revoking it means for whom. */
  consequence: ReactNode;
  /** Only owners get new secrets. */
  isOwn: boolean;
}

type Dialog = "edit" | "rotate" | "revoke";

/** What can be done with a key that works. */
export function KeyActions({ apiKey, ownerId, refresh, consequence, isOwn }: Props) {
  const [dialog, setDialog] = useState<Dialog | null>(null);
  // A dialog that was opened stays while it fades away.
  const [seen, setSeen] = useState<ReadonlySet<Dialog>>(new Set());
  const revoke = useRevokeKey();
  if (apiKey.status !== "ACTIVE") return null;
  const label = apiKey.name || `${apiKey.prefix}…`;
  const close = () => setDialog(null);
  const open = (which: Dialog) => {
    setSeen(new Set([...seen, which]));
    setDialog(which);
  };
  return (
    <>
      <Menu position="bottom-end" width={190}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${label}`}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => open("edit")}
          >
            Edit or narrow
          </Menu.Item>
          {isOwn ? (
            <Menu.Item
              leftSection={<IconRefresh size={16} aria-hidden />}
              onClick={() => open("rotate")}
            >
              New secret
            </Menu.Item>
          ) : null}
          <Menu.Item
            color="var(--mantine-color-error)"
            leftSection={<IconBan size={16} aria-hidden />}
            onClick={() => open("revoke")}
          >
            Revoke
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>
        {seen.has("edit") ? (
          <EditKeyDialog
            {...{ apiKey, ownerId, refresh }}
            opened={dialog === "edit"}
            onClose={close}
          />
        ) : null}
        {seen.has("rotate") ? (
          <RotateKeyDialog apiKey={apiKey} opened={dialog === "rotate"} onClose={close} />
        ) : null}
      </Suspense>
      <ConfirmDialog
        opened={dialog === "revoke"}
        onClose={close}
        title={`Revoke ${label}?`}
        consequence={
          <Stack gap={8}>
            <span>{consequence}</span>
            <span>
              Last used: <When at={apiKey.lastUsedAt} none="never" />
            </span>
          </Stack>
        }
        confirmLabel="Revoke key"
        onConfirm={async () => {
          await revoke.mutateAsync(apiKey.id);
          notifySuccess(`${label} is revoked.`);
        }}
      />
    </>
  );
}
