import { NativeSelect, Stack, Text } from "@mantine/core";
import { IconCoin } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Column } from "@/components/data-table";
import { When } from "@/components/when";
import { OwnerFilters, OwnerName, subjectOf } from "@/features/limits/owner";
import { OwnersPage } from "@/features/limits/owners-page";
import { type BudgetOwner, budgetOwnersQuery } from "@/features/limits/queries";
import type { BudgetsSearch } from "@/features/limits/search";
import { BudgetCard } from "@/features/policy/components/budget-card";
import { Forecast } from "@/features/policy/components/forecast";
import { Meter } from "@/features/policy/components/meter";
import { TemporaryBadge } from "@/features/policy/components/temporary-badge";
import { windows } from "@/features/policy/words";
import { formatUsd, parseUsd, percentOf } from "@/lib/currency";
import { exportAddress } from "@/lib/export-address";
import { useTableState } from "@/lib/use-table-state";
import classes from "./limits.module.css";

/** All caps of people, groups and pools, with what is spent of each. */
export function BudgetsPage() {
  const { state, set, clear, isFiltered } = useTableState<BudgetsSearch>();
  const query = useInfiniteQuery(budgetOwnersQuery(state));
  return (
    <OwnersPage
      title="Budgets"
      values="Budget"
      description="Everybody who has caps of their own, what is spent of each, and when it is used up at this pace. For a group's cap of each member the bar is that of whoever spent most."
      icon={IconCoin}
      file={exportAddress("budgets.csv", { search: state.q, kind: state.kind, use: state.use })}
      filters={
        <OwnerFilters state={state} onChange={set}>
          <NativeSelect
            aria-label="How far used"
            flex={{ base: "1 1 0", sm: "0 0 auto" }}
            data={[
              { value: "", label: "Any use" },
              { value: "NEAR", label: "80 % or more used" },
              { value: "REACHED", label: "Used up" },
            ]}
            value={state.use ?? ""}
            onChange={({ currentTarget: { value } }) =>
              set({ use: (value || undefined) as BudgetsSearch["use"] })
            }
          />
        </OwnerFilters>
      }
      columns={columns}
      query={query}
      narrowed={
        isFiltered("q", "kind", "use")
          ? { title: "No budget matches", text: "Nobody with caps is like this.", onClear: clear }
          : null
      }
      none={{
        title: "No budgets yet",
        text: "Set caps on the page of a person or a group; they show up here.",
      }}
      edit={(owner) => (
        <BudgetCard
          subject={subjectOf(owner)}
          budget={owner.budget}
          version={owner.budget.version}
        />
      )}
    />
  );
}

const columns: Column<BudgetOwner>[] = [
  {
    id: "owner",
    header: "Whose",
    cell: (owner) => (
      <>
        <OwnerName owner={owner} />
        {windows.map(({ window, label }) => {
          const { use, raise } = capOf(owner, window);
          return use === undefined ? null : (
            <Text key={window} size="xs" c="dimmed" component="div" hiddenFrom="lg">
              {label}: {formatUsd(use.spent)} of{" "}
              {use.cap === null ? "no limit" : formatUsd(use.cap)}
              {raise ? <TemporaryBadge endsAt={raise.endsAt} title={raise.reason} /> : null}
            </Text>
          );
        })}
      </>
    ),
  },
  ...windows.map(
    ({ window, label }): Column<BudgetOwner> => ({
      id: window,
      header: label,
      width: "22%",
      from: "lg",
      cell: (owner) => <Cap owner={owner} window={window} />,
    }),
  ),
];

type Window = (typeof windows)[number]["window"];

const capOf = ({ uses, overrides }: BudgetOwner, window: Window) => ({
  use: uses.find((one) => one.window === window),
  raise: overrides.find((one) => one.window === window),
});

function Cap({ owner, window }: { owner: BudgetOwner; window: Window }) {
  const { use, raise } = capOf(owner, window);
  const { label = "", span = "" } = windows.find((one) => one.window === window) ?? {};
  if (use === undefined) {
    return (
      <Text span inherit c="dimmed">
        No cap
      </Text>
    );
  }
  const { cap, spent } = use;
  return (
    <Stack gap={4}>
      <span className={classes.figures}>
        {formatUsd(spent)} <span>{cap === null ? "No limit" : `of ${formatUsd(cap)}`}</span>
      </span>
      {cap === null ? null : (
        <Meter
          label={`${label} of ${owner.name}`}
          text={`${formatUsd(spent)} of ${formatUsd(cap)} ${span}`}
          used={percentOf(parseUsd(spent) ?? 0n, parseUsd(cap) ?? 0n)}
          alertsAt={owner.budget.alertThresholds}
        />
      )}
      {raise ? <TemporaryBadge endsAt={raise.endsAt} title={raise.reason} /> : null}
      <Text size="xs" c="dimmed" component="div">
        Resets <When at={use.resetsAt} />
      </Text>
      {cap === null ? null : <Forecast spent={spent} cap={cap} reachedAt={use.reachedAt ?? null} />}
    </Stack>
  );
}
