import { Button, Group, NativeSelect } from "@mantine/core";
import { IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { LookupFilter } from "@/components/lookup-filter";
import { TimeFilter } from "@/components/time-filter";
import type { SecretRule } from "@/features/secret-rules/queries";
import type { SecretRulesSearch } from "@/features/secret-rules/search";
import { actions } from "@/features/secret-rules/words";
import { useUsers, whoQuery } from "@/features/usage/whose";

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

const half = { base: "1 1 calc(50% - 5px)", sm: "0 1 165px" };

export function FindingFilters({ rules, state, onChange, onClear }: Props) {
  const user = useQuery(whoQuery({ user: state.user, group: undefined }));
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
      <LookupFilter
        label="In whose calls"
        icon={IconUser}
        searchLabel="Search users"
        all="Anyone"
        chosen={user.data}
        useFound={useUsers}
        w={{ base: "100%", sm: 160 }}
        onChange={(value) => onChange({ user: value?.split(":")[1] })}
      />
      <TimeFilter span={state} onChange={onChange} flex={half} />
      {onClear ? (
        <Button variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      ) : null}
    </Group>
  );
}
