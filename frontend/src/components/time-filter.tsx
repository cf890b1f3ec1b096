import { NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { plural } from "@/lib/numbers";
import { spans, type TimeSpan } from "@/lib/time-span";

interface Props {
  span: TimeSpan;
  onChange: (span: TimeSpan) => void;
}

/** Of what stands beside it: two in a row on a phone. */
export const half = { base: "1 1 calc(50% - 5px)", sm: "0 1 165px" };

const times = [
  { value: "", label: "Any time" },
  ...spans.map((days) => ({
    value: String(days),
    label: days === 1 ? "Last 24 hours" : `Last ${plural(days, "day")}`,
  })),
  { value: "days", label: "Days of your choice" },
];

/** Narrows a log to the last days, or to days of one's choice. */
export function TimeFilter({ span: { days, from, to }, onChange }: Props) {
  const given = from !== undefined || to !== undefined;
  const [choosing, setChoosing] = useState(false);
  const custom = days === undefined && (given || choosing);
  return (
    <>
      <NativeSelect
        aria-label="Time"
        data={times}
        value={custom ? "days" : String(days ?? "")}
        onChange={({ currentTarget: { value } }) => {
          setChoosing(value === "days");
          onChange({
            days: spans.find((span) => String(span) === value),
            from: undefined,
            to: undefined,
          });
        }}
        flex={half}
      />
      {custom ? (
        <>
          <TextInput
            type="date"
            aria-label="From day"
            value={from ?? ""}
            max={to}
            onChange={({ currentTarget: { value } }) => onChange({ from: value || undefined })}
            flex={half}
          />
          <TextInput
            type="date"
            aria-label="To day"
            value={to ?? ""}
            min={from}
            onChange={({ currentTarget: { value } }) => onChange({ to: value || undefined })}
            flex={half}
          />
        </>
      ) : null}
    </>
  );
}
