import { Group, NativeSelect, TextInput } from "@mantine/core";
import { addDays } from "@/lib/dates";
import { type Expiry, expiryChoices, localDay } from "@/lib/expiry";

interface Props {
  value: Expiry;
  onChange: (value: Expiry) => void;
  error?: string | null;
  /** How the end that there is reads, where it may stay. */
  keep?: string;
}

export function ExpiryField({ value, onChange, error = null, keep }: Props) {
  return (
    <Group gap="sm" align="flex-start" grow>
      <NativeSelect
        label="Expires"
        data={
          keep === undefined ? expiryChoices : [{ value: "keep", label: keep }, ...expiryChoices]
        }
        value={value.choice}
        onChange={(event) => onChange({ ...value, choice: event.currentTarget.value })}
        {...(value.choice === "date" ? {} : { error })}
      />
      {value.choice === "date" ? (
        <TextInput
          type="date"
          label="Last day"
          min={addDays(localDay(new Date()), 1)}
          value={value.date}
          onChange={(event) => onChange({ ...value, date: event.currentTarget.value })}
          error={error}
        />
      ) : null}
    </Group>
  );
}
