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
import { windows } from "@/features/policy/words";
import { formatUsd, parseUsd, percentOf } from "@/lib/currency";
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
          const use = owner.uses.find((one) => one.window === window);
          return use === undefined ? null : (
            <Text key={window} size="xs" c="dimmed" hiddenFrom="md">
              {label}: {formatUsd(use.spent)} of {formatUsd(use.cap)}
            </Text>
          );
        })}
      </>
    ),
  },
  ...windows.map(
    ({ window, label, span }): Column<BudgetOwner> => ({
      id: window,
      header: label,
      width: "22%",
      from: "md",
      cell: ({ uses, name }) => {
        const use = uses.find((one) => one.window === window);
        if (use === undefined) {
          return (
            <Text span inherit c="dimmed">
              No cap
            </Text>
          );
        }
        const cap = parseUsd(use.cap) ?? 0n;
        const text = `${formatUsd(use.spent)} of ${formatUsd(use.cap)} ${span}`;
        return (
          <Stack gap={4}>
            <span className={classes.figures}>
              {formatUsd(use.spent)} of {formatUsd(use.cap)}
            </span>
            <Meter
              label={`${label} of ${name}`}
              text={text}
              used={percentOf(parseUsd(use.spent) ?? 0n, cap)}
            />
            <Text size="xs" c="dimmed" component="div">
              Resets <When at={use.resetsAt} />
            </Text>
            <Forecast spent={use.spent} cap={use.cap} reachedAt={use.reachedAt ?? null} />
          </Stack>
        );
      },
    }),
  ),
];
