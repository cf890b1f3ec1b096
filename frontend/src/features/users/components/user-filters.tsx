import { Button, Group, NativeSelect } from "@mantine/core";
import { SearchInput } from "@/components/search-input";
import { GroupFilter } from "@/features/users/components/group-filter";
import type { UserListSearch } from "@/features/users/search";

interface Props {
  state: UserListSearch;
  onChange: (patch: { [K in keyof UserListSearch]?: UserListSearch[K] | undefined }) => void;
  /** Present when something narrows the list. */
  onClear?: () => void;
}

const roles = [
  { value: "", label: "Any role" },
  { value: "ADMIN", label: "Admins" },
  { value: "MEMBER", label: "Members" },
];

const statuses = [
  { value: "", label: "Any status" },
  { value: "ACTIVE", label: "Active" },
  { value: "INVITED", label: "Invited" },
  { value: "SUSPENDED", label: "Suspended" },
];

export function UserFilters({ state, onChange, onClear }: Props) {
  return (
    <Group gap="xs">
      <SearchInput
        label="Search by name or e-mail"
        value={state.q ?? ""}
        onChange={(q) => onChange({ q: q || undefined })}
        flex={{ base: "1 1 100%", sm: "0 1 320px" }}
      />
      <NativeSelect
        aria-label="Role"
        data={roles}
        flex={{ base: "1 1 0", sm: "0 0 auto" }}
        value={state.role ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ role: (value || undefined) as UserListSearch["role"] })
        }
      />
      <NativeSelect
        aria-label="Status"
        data={statuses}
        flex={{ base: "1 1 0", sm: "0 0 auto" }}
        value={state.status ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ status: (value || undefined) as UserListSearch["status"] })
        }
      />
      <GroupFilter group={state.group} onChange={(group) => onChange({ group })} />
      {onClear ? (
        <Button variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      ) : null}
    </Group>
  );
}
