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

const none = {
  model: undefined,
  key: undefined,
  provider: undefined,
  outcome: undefined,
  status: undefined,
};

/** Narrows the log of calls; the address holds what is chosen. */
export function CallFilters({ state, onChange }: Props) {
  const { model, key, provider, outcome, status } = state;
  const narrowed = [model, key, provider, outcome, status].some((value) => value !== undefined);
  // Fields are made anew once they are cleared, and at no other time: somebody may be typing in one.
  const [clearing, setClearing] = useState(false);
  const [clearings, setClearings] = useState(0);
  if (clearing && !narrowed) {
    setClearing(false);
    setClearings(clearings + 1);
  }
  return (
    <Group gap="xs" px="lg" pb="sm">
      <Typed
        key={`model ${clearings}`}
        label="Model of the calls"
        placeholder="Any model"
        value={model ?? ""}
        onChange={(typed) => onChange({ model: typed || undefined })}
      />
      <Typed
        key={`key ${clearings}`}
        label="Key of the calls, by name"
        placeholder="Any key"
        value={key ?? ""}
        onChange={(typed) => onChange({ key: typed || undefined })}
      />
      <Typed
        key={`provider ${clearings}`}
        label="Provider of the calls, by name"
        placeholder="Any provider"
        value={provider ?? ""}
        onChange={(typed) => onChange({ provider: typed || undefined })}
      />
      <NativeSelect
        size="xs"
        aria-label="Result of the calls"
        data={[
          { value: "", label: "Any result" },
          ...Object.entries(outcomeLabels).map(([value, label]) => ({ value, label })),
        ]}
        value={outcome ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ outcome: (value || undefined) as UsageSearch["outcome"] })
        }
      />
      <Typed
        key={`status ${clearings}`}
        label="HTTP status of the calls"
        placeholder="Any status"
        value={status === undefined ? "" : String(status)}
        onChange={(text) =>
          onChange({ status: /^[1-5]\d\d$/.test(text) ? Number(text) : undefined })
        }
      />
      {narrowed ? (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => {
            onChange(none);
            setClearing(true);
          }}
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
