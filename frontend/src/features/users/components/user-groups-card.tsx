import { ActionIcon, Anchor, Button, Group, Modal, Stack, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconPlus, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { SectionCard } from "@/components/section-card";
import { GroupPicker } from "@/features/groups/components/group-picker";
import { useAddMember, useRemoveMember } from "@/features/groups/mutations";
import type { PickedGroup } from "@/features/groups/queries";
import { type UserDetail, userName } from "@/features/users/queries";
import { notifySuccess } from "@/lib/notify";

interface Props {
  user: UserDetail;
}

export function UserGroupsCard({ user }: Props) {
  const [picking, setPicking] = useState(false);
  return (
    <SectionCard
      title="Groups"
      actions={
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setPicking(true)}
        >
          Add to group
        </Button>
      }
    >
      {user.groups.length === 0 ? (
        <Text size="sm" c="dimmed">
          In no group yet. Groups bring grants, limits and caps of their own.
        </Text>
      ) : (
        <Stack component="ul" gap="xs" m={0} p={0} aria-label="Groups">
          {user.groups.map((group) => (
            <Membership key={group.id} user={user} group={group} />
          ))}
        </Stack>
      )}
      <Modal
        opened={picking}
        onClose={() => setPicking(false)}
        title={<Text fw={600}>Add {userName(user)} to groups</Text>}
      >
        <GroupPicker action={(group) => <AddButton user={user} group={group} />} />
      </Modal>
    </SectionCard>
  );
}

interface MembershipProps extends Props {
  group: UserDetail["groups"][number];
}

function Membership({ user, group }: MembershipProps) {
  const remove = useRemoveMember();
  const name = userName(user);
  return (
    <Group component="li" justify="space-between" wrap="nowrap" style={{ listStyle: "none" }}>
      <Anchor
        size="sm"
        renderRoot={(props) => (
          <Link to="/admin/groups/$groupId" params={{ groupId: group.id }} {...props} />
        )}
      >
        {group.name}
      </Anchor>
      <Confirmed
        title={`Remove ${name} from ${group.name}?`}
        consequence={`Grants, limits and caps of ${group.name} no longer apply to ${name} from the next call on. What is set elsewhere stays.`}
        confirmLabel="Remove"
        onConfirm={async () => {
          await remove.mutateAsync({ groupId: group.id, userId: user.id });
          notifySuccess(`${name} is no longer in ${group.name}.`);
        }}
        trigger={(open) => (
          <Tooltip label="Remove from group">
            <ActionIcon size="sm" onClick={open} aria-label={`Remove from ${group.name}`}>
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      />
    </Group>
  );
}

function AddButton({ user, group }: Props & { group: PickedGroup }) {
  const add = useAddMember();
  if (user.groups.some(({ id }) => id === group.id)) {
    return (
      <Group gap={4} wrap="nowrap" c="dimmed" fz="sm" px="xs">
        <IconCheck size={16} aria-hidden /> Member
      </Group>
    );
  }
  return (
    <Button
      variant="default"
      size="compact-sm"
      loading={add.isPending}
      onClick={() => add.mutate({ groupId: group.id, userId: user.id })}
      aria-label={`Add to ${group.name}`}
    >
      Add
    </Button>
  );
}
