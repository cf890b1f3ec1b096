import { useSession } from "@/features/session/queries";
import { rangeOf } from "@/features/usage/range";
import { RangePicker } from "@/features/usage/range-picker";
import type { UsageSearch } from "@/features/usage/search";
import { todayIn } from "@/lib/dates";
import { useTableState } from "@/lib/use-table-state";

/** Chooses the days that a page's usage is about. */
export function UsageRange() {
  const { timeZone } = useSession().deployment;
  const { state, set } = useTableState<UsageSearch>();
  return (
    <RangePicker
      search={state}
      range={rangeOf(state, timeZone)}
      today={todayIn(timeZone)}
      onChange={set}
    />
  );
}
