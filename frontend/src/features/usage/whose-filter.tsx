import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { LookupFilter } from "@/components/lookup-filter";
import { whoQuery, whoseQuery } from "@/features/usage/whose";

interface Props {
  user: string | undefined;
  group: string | undefined;
  onChange: (chosen: { user: string | undefined; group: string | undefined }) => void;
}

/** Narrows usage to one user or one group, found by name on the server. */
export function WhoseFilter({ user, group, onChange }: Props) {
  const chosen = useQuery(whoQuery({ user, group }));
  return (
    <LookupFilter
      label="Whose usage"
      icon={IconUsers}
      searchLabel="Search users and groups"
      all="Everyone"
      chosen={chosen.data}
      useFound={useWhose}
      w={{ base: "100%", sm: 200 }}
      onChange={(value) => {
        const [kind, id] = value?.split(":") ?? [];
        onChange({
          user: kind === "user" ? id : undefined,
          group: kind === "group" ? id : undefined,
        });
      }}
    />
  );
}

const useWhose = (sought: string) => useQuery(whoseQuery(sought)).data;
