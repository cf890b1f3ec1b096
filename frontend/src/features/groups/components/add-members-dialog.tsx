import { Button, Group, Modal, Text } from "@mantine/core";
import { IconCheck, IconUsers } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { PickerList } from "@/components/picker-list";
import { useAddMember } from "@/features/groups/mutations";
import type { GroupDetail } from "@/features/groups/queries";
import { UserName } from "@/features/users/components/user-name";
import { type PickedUser, userName, userPickerQuery } from "@/features/users/queries";

interface Props {
  group: GroupDetail;
  opened: boolean;
  onClose: () => void;
}

export function AddMembersDialog({ group, opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<Text fw={600}>Add members to {group.name}</Text>}
    >
      <UserPicker group={group} />
    </Modal>
  );
}

function UserPicker({ group }: Pick<Props, "group">) {
  const [search, setSearch] = useState("");
  const query = useInfiniteQuery(userPickerQuery(search));
  return (
    <PickerList
      searchLabel="Search users by name or e-mail"
      label="Users"
      {...{ search, query }}
      onSearch={setSearch}
      empty={
        <EmptyState icon={IconUsers} title="Nobody matches">
          Try a part of the name or e-mail, or invite the person on the Users page.
        </EmptyState>
      }
      action={(user) => <AddButton group={group} user={user} />}
    >
      {(user) => <UserName user={user} />}
    </PickerList>
  );
}

function AddButton({ group, user }: { group: GroupDetail; user: PickedUser }) {
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
      aria-label={`Add ${userName(user)}`}
    >
      Add
    </Button>
  );
}
