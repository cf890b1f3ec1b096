import { Button, Group, NativeSelect, Pill } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { SearchInput } from "@/components/search-input";
import { half, TimeFilter } from "@/components/time-filter";
import { auditActionsQuery } from "@/features/audit/queries";
import type { AuditSearch } from "@/features/audit/search";
import { actionLabel, targetKinds } from "@/features/audit/words";
import { UserFilter } from "@/features/usage/user-filter";

interface Props {
  state: AuditSearch;
  onChange: (patch: { [K in keyof AuditSearch]?: AuditSearch[K] | undefined }) => void;
  /** Present when something narrows the log. */
  onClear?: () => void;
  /** The name of the one thing that the log is narrowed to, as far as it is known. */
  about: string | undefined;
}

export function AuditFilters({ state, onChange, onClear, about }: Props) {
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
      <UserFilter
        label="Who made the change"
        user={state.actor}
        onChange={(actor) => onChange({ actor })}
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
      <TimeFilter span={state} onChange={onChange} />
      {onClear ? (
        <Button variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      ) : null}
    </Group>
  );
}
