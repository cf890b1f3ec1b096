import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Loaded } from "@/components/loaded";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import { OwnerName } from "@/features/limits/owner";
import { More } from "@/features/overview/components/more";
import { type Exhausted, exhaustedQuery } from "@/features/overview/queries";
import { formatCap, parseUsd } from "@/lib/currency";
import { plural } from "@/lib/numbers";

/** Whose calls are refused now because a budget is used up. */
export function BlockedCard() {
  const query = useQuery(exhaustedQuery);
  return (
    <SectionCard
      title="Budgets used up now"
      description="Calls under these are refused until the budget resets."
      flush
      actions={
        <More to="/admin/budgets" search={{ use: "NEAR" }}>
          Also those nearly used up
        </More>
      }
    >
      <Loaded query={query}>
        {({ edges, totalCount }) =>
          totalCount === 0 ? (
            <Text size="sm" c="dimmed" ta="center" py="xl">
              Nobody is out of budget.
            </Text>
          ) : (
            <>
              <RowsTable
                label="Budgets used up now"
                columns={columns}
                rows={edges.map(({ node }) => node)}
              />
              {totalCount > edges.length ? (
                <Text size="xs" c="dimmed" px="lg" py="xs">
                  And {plural(totalCount - edges.length, "other")}.
                </Text>
              ) : null}
            </>
          )
        }
      </Loaded>
    </SectionCard>
  );
}

const usedUp = ({ uses }: Exhausted) =>
  uses.filter(({ spent, cap }) => cap !== null && (parseUsd(spent) ?? 0n) >= (parseUsd(cap) ?? 0n));

const columns: Column<Exhausted>[] = [
  { id: "who", header: "Whose", cell: (owner) => <OwnerName owner={owner} /> },
  {
    id: "cap",
    header: "Cap",
    numeric: true,
    cell: (owner) =>
      usedUp(owner).map(({ cap, window }) => <div key={window}>{formatCap(cap)}</div>),
  },
  {
    id: "resets",
    header: "Resets",
    numeric: true,
    cell: (owner) =>
      usedUp(owner).map(({ resetsAt, window }) => (
        <div key={window}>
          <When at={resetsAt} />
        </div>
      )),
  },
];
