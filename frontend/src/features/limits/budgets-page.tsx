import { Button, NativeSelect, Stack, Text } from "@mantine/core";
import { IconCoin } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { FormDialog } from "@/components/form-dialog";
import { PageHeader } from "@/components/page-header";
import { When } from "@/components/when";
import { OwnerFilters, OwnerName, subjectOf } from "@/features/limits/owner";
import { type BudgetOwner, budgetOwnersQuery } from "@/features/limits/queries";
import type { BudgetsSearch } from "@/features/limits/search";
import { BudgetCard } from "@/features/policy/components/budget-card";
import { Forecast } from "@/features/policy/components/forecast";
import { Meter } from "@/features/policy/components/meter";
import { windows } from "@/features/policy/words";
import { formatUsd, parseUsd, percentOf } from "@/lib/currency";
import { rowsOf, totalOf } from "@/lib/pages";
import { useTableState } from "@/lib/use-table-state";
import classes from "./limits.module.css";

/** All caps of people, groups and pools, with what is spent of each. */
export function BudgetsPage() {
  const { state, set, clear, isFiltered } = useTableState<BudgetsSearch>();
  const query = useInfiniteQuery(budgetOwnersQuery(state));
  const [editing, setEditing] = useState<string | null>(null);
  // The row of the list, so that the form follows what the server has.
  const owner = rowsOf(query.data).find(({ id }) => id === editing);
  const narrowed = isFiltered("q", "kind", "use");
  return (
    <Stack gap="lg">
      <PageHeader
        title="Budgets"
        description="Everybody who has caps of their own, what is spent of each, and when it is used up at this pace. For a group's cap of each member the bar is that of whoever spent most."
      />
      <Stack gap="sm">
        <OwnerFilters state={state} onChange={set}>
          <NativeSelect
            aria-label="How far used"
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
        <DataTable
          label="Budgets"
          columns={columnsFor(setEditing)}
          query={query}
          total={totalOf(query.data)}
          tall
          empty={
            narrowed ? (
              <EmptyState
                icon={IconCoin}
                title="No budget matches"
                action={
                  <Button variant="default" onClick={clear}>
                    Clear search and filters
                  </Button>
                }
              >
                Nobody with caps is like this.
              </EmptyState>
            ) : (
              <EmptyState icon={IconCoin} title="No budgets yet">
                Set caps on the page of a person or a group; they show up here.
              </EmptyState>
            )
          }
        />
      </Stack>
      <FormDialog
        opened={owner !== undefined}
        onClose={() => setEditing(null)}
        title={owner === undefined ? "" : `Budget of ${owner.name}`}
        size="lg"
      >
        {owner === undefined ? null : (
          <BudgetCard
            subject={subjectOf(owner)}
            budget={owner.budget}
            version={owner.budget.version}
          />
        )}
      </FormDialog>
    </Stack>
  );
}

const columnsFor = (onEdit: (id: string) => void): Column<BudgetOwner>[] => [
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
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: ({ id, name }) => (
      <Button
        size="compact-sm"
        variant="subtle"
        aria-label={`Edit budget of ${name}`}
        onClick={() => onEdit(id)}
      >
        Edit
      </Button>
    ),
  },
];
