import "@mantine/dates/styles.css";
import { Button, Stack, Text } from "@mantine/core";
import { DatePicker } from "@mantine/dates";
import { useState } from "react";
import { longestRange } from "@/features/usage/range";
import { addDays } from "@/lib/dates";
import { plural } from "@/lib/numbers";

interface Props {
  from: string;
  to: string;
  today: string;
  onApply: (from: string, to: string) => void;
}

export default function RangeCalendar({ from, to, today, onApply }: Props) {
  const [[first, last], setDays] = useState<[string | null, string | null]>([from, to]);
  return (
    <Stack gap="sm">
      <DatePicker
        type="range"
        allowSingleDateInRange
        value={[first, last]}
        onChange={setDays}
        defaultDate={to}
        minDate={addDays(today, -longestRange + 1)}
        maxDate={today}
        firstDayOfWeek={1}
        weekendDays={[]}
        hideOutsideDates
        ariaLabels={{ previousMonth: "Previous month", nextMonth: "Next month" }}
      />
      <Text size="xs" c="dimmed">
        Both days count; at most {plural(longestRange, "day")} back.
      </Text>
      <Button
        disabled={first === null || last === null}
        onClick={() => first && last && onApply(first, last)}
      >
        Show these days
      </Button>
    </Stack>
  );
}
