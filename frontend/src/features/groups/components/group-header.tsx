import { ActionIcon, Button, Menu } from "@mantine/core";
import { IconDots, IconHistory, IconPencil, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { FormDialog } from "@/components/form-dialog";
import { PageHeader } from "@/components/page-header";
import { When } from "@/components/when";
import { EditGroupForm } from "@/features/groups/components/group-form";
import { useDeleteGroup } from "@/features/groups/mutations";
import type { GroupDetail } from "@/features/groups/queries";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";

interface Props {
  group: GroupDetail;
}

export function GroupHeader({ group }: Props) {
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const close = () => setDialog(null);
  const navigate = useNavigate();
  const remove = useDeleteGroup(() => navigate({ to: "/admin/groups", ignoreBlocker: true }));
  return (
    <>
      <PageHeader
        back={{ to: "/admin/groups", label: "Groups" }}
        title={group.name}
        description={
          <>
            {group.description ? `${group.description} · ` : ""}
            {plural(group.memberCount, "member")} · Created <When at={group.createdAt} />
          </>
        }
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconPencil size={16} aria-hidden />}
              onClick={() => setDialog("edit")}
            >
              Edit
            </Button>
            <Menu position="bottom-end" width={200}>
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label="More actions">
                  <IconDots size={18} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item
                  leftSection={<IconHistory size={16} aria-hidden />}
                  renderRoot={(props) => (
                    <Link
                      to="/admin/audit-log"
                      search={{ kind: "group", id: group.id }}
                      {...props}
                    />
                  )}
                >
                  Changes
                </Menu.Item>
                <Menu.Item
                  color="var(--mantine-color-error)"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => setDialog("delete")}
                >
                  Delete group
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      />
      <FormDialog opened={dialog === "edit"} onClose={close} title="Edit group">
        <EditGroupForm group={group} onDone={close} />
      </FormDialog>
      <ConfirmDialog
        opened={dialog === "delete"}
        onClose={close}
        title={`Delete ${group.name}?`}
        consequence={
          <>
            {plural(group.memberCount, "member")} lose the grants that come through this group, and
            its limits and caps no longer hold them back, from the next call on. Nothing else of
            theirs changes. This can't be undone.
          </>
        }
        confirmLabel="Delete group"
        onConfirm={async () => {
          await remove.mutateAsync(group.id);
          notifySuccess(`${group.name} is deleted.`);
        }}
      />
    </>
  );
}
