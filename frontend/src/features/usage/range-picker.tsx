import { Button, Group, Popover, SegmentedControl, Skeleton } from "@mantine/core";
import { IconCalendar } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { chosenSpan, describeRange, type Range } from "@/features/usage/range";
import { spans, type UsageSearch } from "@/features/usage/search";

const RangeCalendar = lazy(() => import("./range-calendar"));

interface Props {
  search: UsageSearch;
  range: Range;
  today: string;
  onChange: (search: Pick<UsageSearch, "days" | "from" | "to">) => void;
}

export function RangePicker({ search, range, today, onChange }: Props) {
  const [opened, setOpened] = useState(false);
  const chosen = chosenSpan(search);
  const custom = chosen === "custom";

  return (
    <Group gap="xs">
      <SegmentedControl
        size="sm"
        aria-label="Time span"
        value={chosen}
        onChange={(value) =>
          onChange({
            days: Number(value) as (typeof spans)[number],
            from: undefined,
            to: undefined,
          })
        }
        data={spans.map((days) => ({ value: String(days), label: `${days} days` }))}
      />
      <Popover opened={opened} onChange={setOpened} position="bottom-end" shadow="md" trapFocus>
        <Popover.Target>
          <Button
            variant={custom ? "light" : "default"}
            leftSection={<IconCalendar size={16} aria-hidden />}
            onClick={() => setOpened(!opened)}
            fw={500}
          >
            {custom ? describeRange(range) : "Custom"}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p="md">
          <Suspense fallback={<Skeleton height={280} width={260} />}>
            <RangeCalendar
              from={range.from}
              to={range.to}
              today={today}
              onApply={(from, to) => {
                onChange({ days: undefined, from, to });
                setOpened(false);
              }}
            />
          </Suspense>
        </Popover.Dropdown>
      </Popover>
    </Group>
  );
}
