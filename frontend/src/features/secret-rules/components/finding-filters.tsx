import { Button, Group, NativeSelect } from "@mantine/core";
import { half, TimeFilter } from "@/components/time-filter";
import type { SecretRule } from "@/features/secret-rules/queries";
import type { SecretRulesSearch } from "@/features/secret-rules/search";
import { actions } from "@/features/secret-rules/words";
import { UserFilter } from "@/features/usage/user-filter";

interface Props {
  rules: SecretRule[];
  state: SecretRulesSearch;
  onChange: (
    patch: {
      [K in keyof SecretRulesSearch]?: SecretRulesSearch[K] | undefined;
    },
  ) => void;
  /** Present when something narrows the findings. */
  onClear?: (() => void) | undefined;
}

export function FindingFilters({ rules, state, onChange, onClear }: Props) {
  const known = rules.map(({ id, name }) => ({ value: id, label: name }));
  const gone = state.rule !== undefined && !rules.some(({ id }) => id === state.rule);
  return (
    <Group gap="xs" px="lg" pb="sm">
      <NativeSelect
        aria-label="Rule"
        data={[
          { value: "", label: "Any rule" },
          ...known,
          ...(gone ? [{ value: state.rule ?? "", label: "A deleted rule" }] : []),
        ]}
        value={state.rule ?? ""}
        onChange={({ currentTarget: { value } }) => onChange({ rule: value || undefined })}
        flex={half}
      />
      <NativeSelect
        aria-label="What became of the call"
        data={[
          { value: "", label: "Any action" },
          ...Object.entries(actions).map(([value, { label }]) => ({ value, label })),
        ]}
        value={state.action ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ action: (value || undefined) as SecretRulesSearch["action"] })
        }
        flex={half}
      />
      <UserFilter
        label="In whose calls"
        user={state.user}
        onChange={(user) => onChange({ user })}
      />
      <TimeFilter span={state} onChange={onChange} />
      {onClear ? (
        <Button variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      ) : null}
    </Group>
  );
}
