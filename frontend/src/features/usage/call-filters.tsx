import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import type { UsageSearch } from "@/features/usage/search";

export const outcomeLabels = {
  OK: "OK",
  ABORTED: "Aborted",
  UPSTREAM_ERROR: "Failed",
  UNREACHABLE: "Unreachable",
  RECOVERED: "Recovered",
} as const;

interface Props {
  state: UsageSearch;
  onChange: (patch: { [K in keyof UsageSearch]?: UsageSearch[K] | undefined }) => void;
}

const pause = 300;

/** Narrows the log of calls; the address holds what is chosen. */
export function CallFilters({ state, onChange }: Props) {
  const narrowed = [state.model, state.outcome, state.status].some((value) => value !== undefined);
  return (
    <Group gap="xs" px="lg" pb="sm">
      <Typed
        key={`model ${narrowed}`}
        label="Model of the calls"
        placeholder="Any model"
        value={state.model ?? ""}
        onChange={(model) => onChange({ model: model || undefined })}
      />
      <NativeSelect
        size="xs"
        aria-label="Result of the calls"
        data={[
          { value: "", label: "Any result" },
          ...Object.entries(outcomeLabels).map(([value, label]) => ({ value, label })),
        ]}
        value={state.outcome ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ outcome: (value || undefined) as UsageSearch["outcome"] })
        }
      />
      <Typed
        key={`status ${narrowed}`}
        label="HTTP status of the calls"
        placeholder="Any status"
        value={state.status === undefined ? "" : String(state.status)}
        onChange={(text) =>
          onChange({ status: /^[1-5]\d\d$/.test(text) ? Number(text) : undefined })
        }
      />
      {narrowed ? (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => onChange({ model: undefined, outcome: undefined, status: undefined })}
        >
          Clear filters
        </Button>
      ) : null}
    </Group>
  );
}

interface TypedProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
}

/** Keeps what is typed while the address follows a moment later. */
function Typed({ label, placeholder, value, onChange }: TypedProps) {
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback((typed: string) => onChange(typed.trim()), pause);
  return (
    <TextInput
      size="xs"
      w={150}
      aria-label={label}
      placeholder={placeholder}
      autoComplete="off"
      value={text}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        tell(currentTarget.value);
      }}
    />
  );
}
