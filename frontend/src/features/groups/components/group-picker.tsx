import { Text } from "@mantine/core";
import { IconUsersGroup } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { PickerList } from "@/components/picker-list";
import { groupPickerQuery, type PickedGroup } from "@/features/groups/queries";

interface Props {
  action: (group: PickedGroup) => ReactNode;
}

export function GroupPicker({ action }: Props) {
  const [search, setSearch] = useState("");
  const query = useInfiniteQuery(groupPickerQuery(search));
  return (
    <PickerList
      searchLabel="Search groups"
      label="Groups"
      {...{ search, query, action }}
      onSearch={setSearch}
      empty={
        <EmptyState
          icon={IconUsersGroup}
          title={search ? "No group matches" : "There are no groups yet"}
        >
          {search
            ? "Try a part of its name or description."
            : "Create one on the Groups page first."}
        </EmptyState>
      }
    >
      {(group) => (
        <>
          <Text size="sm" fw={500}>
            {group.name}
          </Text>
          <Text size="xs" c="dimmed" lineClamp={1}>
            {group.description}
          </Text>
        </>
      )}
    </PickerList>
  );
}
