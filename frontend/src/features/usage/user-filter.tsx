import { IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { LookupFilter } from "@/components/lookup-filter";
import { whoQuery, whoseQuery } from "@/features/usage/whose";

interface Props {
  /** "Who made the change" */
  label: string;
  user: string | undefined;
  onChange: (user: string | undefined) => void;
}

/** Narrows a log of what single people did to one of them, found by name on the server. */
export function UserFilter({ label, user, onChange }: Props) {
  const chosen = useQuery(whoQuery({ user, group: undefined }));
  return (
    <LookupFilter
      label={label}
      icon={IconUser}
      searchLabel="Search users"
      all="Anyone"
      chosen={chosen.data}
      useFound={useUsers}
      w={{ base: "100%", sm: 160 }}
      onChange={(value) => onChange(value?.split(":")[1])}
    />
  );
}

const useUsers = (sought: string) =>
  useQuery(whoseQuery(sought)).data?.filter(({ label }) => label === "Users");
