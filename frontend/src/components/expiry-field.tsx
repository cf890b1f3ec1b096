import { Group, NativeSelect, TextInput } from "@mantine/core";
import { addDays } from "@/lib/dates";
import { type Expiry, expiryChoices, localDay } from "@/lib/expiry";

interface Props {
  value: Expiry;
  onChange: (value: Expiry) => void;
  error?: string | null;
}

export function ExpiryField({ value, onChange, error = null }: Props) {
  return (
    <Group gap="sm" align="flex-start" grow>
      <NativeSelect
        label="Expires"
        data={expiryChoices}
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
