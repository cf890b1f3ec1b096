import { IconUsersGroup } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type Choices, LookupFilter } from "@/components/lookup-filter";
import { groupPickerQuery } from "@/features/groups/queries";
import { whoQuery } from "@/features/usage/whose";
import { rowsOf } from "@/lib/pages";

interface Props {
  group: string | undefined;
  onChange: (group: string | undefined) => void;
}

/** Narrows people to the members of one group, found by name on the server. */
export function GroupFilter({ group, onChange }: Props) {
  const chosen = useQuery(whoQuery({ user: undefined, group }));
  return (
    <LookupFilter
      label="Group"
      icon={IconUsersGroup}
      searchLabel="Search groups"
      all="Any group"
      none="No group matches"
      chosen={chosen.data}
      useFound={useGroups}
      w={{ base: "100%", sm: 180 }}
      onChange={(id) => onChange(id ?? undefined)}
    />
  );
}

function useGroups(sought: string): Choices[] | undefined {
  const { data } = useInfiniteQuery(groupPickerQuery(sought));
  if (data === undefined) return undefined;
  const choices = rowsOf(data).map(({ id, name }) => ({ value: id, name, email: null }));
  return choices.length === 0 ? [] : [{ label: "Groups", choices }];
}
