import { Button, Group, NativeSelect, Pill } from "@mantine/core";
import { IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { LookupFilter } from "@/components/lookup-filter";
import { SearchInput } from "@/components/search-input";
import { TimeFilter } from "@/components/time-filter";
import { auditActionsQuery } from "@/features/audit/queries";
import type { AuditSearch } from "@/features/audit/search";
import { actionLabel, targetKinds } from "@/features/audit/words";
import { useUsers, whoQuery } from "@/features/usage/whose";

interface Props {
  state: AuditSearch;
  onChange: (patch: { [K in keyof AuditSearch]?: AuditSearch[K] | undefined }) => void;
  /** Present when something narrows the log. */
  onClear?: () => void;
  /** The name of the one thing that the log is narrowed to, as far as it is known. */
  about: string | undefined;
}

const half = { base: "1 1 calc(50% - 5px)", sm: "0 1 165px" };

export function AuditFilters({ state, onChange, onClear, about }: Props) {
  const actor = useQuery(whoQuery({ user: state.actor, group: undefined }));
  const actions = useQuery(auditActionsQuery).data ?? [];
  const chosen = state.action === undefined ? [] : [state.action];
  const choices = [...new Set([...actions, ...chosen])]
    .map((value) => ({ value, label: actionLabel(value) }))
    .sort((one, other) => one.label.localeCompare(other.label));
  return (
    <Group gap="xs">
      <SearchInput
        label="Search who, what or whom"
        value={state.q ?? ""}
        onChange={(q) => onChange({ q: q || undefined })}
        flex={{ base: "1 1 100%", sm: "0 1 230px" }}
      />
      <LookupFilter
        label="Who made the change"
        icon={IconUser}
        searchLabel="Search users"
        all="Anyone"
        chosen={actor.data}
        useFound={useUsers}
        w={{ base: "100%", sm: 160 }}
        onChange={(value) => onChange({ actor: value?.split(":")[1] })}
      />
      <NativeSelect
        aria-label="Action"
        data={[{ value: "", label: "Any action" }, ...choices]}
        value={state.action ?? ""}
        onChange={({ currentTarget: { value } }) => onChange({ action: value || undefined })}
        flex={half}
      />
      {state.id === undefined ? (
        <NativeSelect
          aria-label="About"
          data={[{ value: "", label: "About anything" }, ...targetKinds]}
          value={state.kind ?? ""}
          onChange={({ currentTarget: { value } }) => onChange({ kind: value || undefined })}
          flex={half}
        />
      ) : (
        <Pill
          size="lg"
          withRemoveButton
          onRemove={() => onChange({ kind: undefined, id: undefined })}
          removeButtonProps={{
            "aria-label": "Show changes of everything",
            "aria-hidden": false,
            tabIndex: 0,
          }}
        >
          About {about ?? "one thing alone"}
        </Pill>
      )}
      <TimeFilter span={state} onChange={onChange} flex={half} />
      {onClear ? (
        <Button variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      ) : null}
    </Group>
  );
}
