import { Text, TextInput, type TextInputProps } from "@mantine/core";
import { parseUsd, toUsd } from "@/lib/currency";

type Props = Omit<TextInputProps, "value" | "onChange" | "type"> & {
  value?: string;
  onChange?: (value: string) => void;
  /** What zero does here; shown as soon as a zero is typed. */
  zeroMeans?: string;
};

/**
 * An amount in US dollars, kept as the exact text that was typed. Leaving the field tidies "012.50" into
 * "12.5"; what is not an amount stays as it is, for the form to complain about.
 */
export function MoneyInput({ value = "", onChange, zeroMeans, onBlur, ...rest }: Props) {
  const nanos = parseUsd(value);
  return (
    <TextInput
      {...rest}
      {...hint(nanos === 0n ? zeroMeans : undefined)}
      value={value}
      onChange={(event) => onChange?.(event.currentTarget.value)}
      onBlur={(event) => {
        const tidy = nanos === null ? value.trim() : toUsd(nanos);
        if (tidy !== value) onChange?.(tidy);
        onBlur?.(event);
      }}
      inputMode="decimal"
      autoComplete="off"
      leftSection={
        <Text size="sm" c="dimmed" aria-hidden>
          $
        </Text>
      }
      styles={{ input: { fontVariantNumeric: "tabular-nums" } }}
    />
  );
}

/** A whole number, zero or more; an empty field means no limit. */
export function CountInput({ value = "", onChange, zeroMeans, ...rest }: Props) {
  return (
    <TextInput
      {...rest}
      {...hint(/^0+$/.test(value.trim()) ? zeroMeans : undefined)}
      value={value}
      onChange={(event) => onChange?.(event.currentTarget.value)}
      inputMode="numeric"
      autoComplete="off"
      styles={{ input: { fontVariantNumeric: "tabular-nums" } }}
    />
  );
}

function hint(text: string | undefined): Pick<TextInputProps, "description" | "inputWrapperOrder"> {
  if (text === undefined) return {};
  return {
    description: text,
    inputWrapperOrder: ["label", "input", "description", "error"],
  };
}
