import { Badge, Text } from "@mantine/core";
import { IconShieldSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { FindingFilters } from "@/features/secret-rules/components/finding-filters";
import { type Finding, findingsQuery, type SecretRule } from "@/features/secret-rules/queries";
import type { SecretRulesSearch } from "@/features/secret-rules/search";
import { actions } from "@/features/secret-rules/words";
import { useSession } from "@/features/session/queries";
import { Person } from "@/features/usage/person";
import { plural } from "@/lib/numbers";
import { instantsOfSpan } from "@/lib/time-span";
import { useTableState } from "@/lib/use-table-state";

/** In whose calls rules matched. */
export function FindingsCard({ rules }: { rules: SecretRule[] }) {
  const { timeZone } = useSession().deployment;
  const { state, set, clear, isFiltered } = useTableState<SecretRulesSearch>();
  const query = useInfiniteQuery(
    findingsQuery({
      ruleId: state.rule ?? null,
      userId: state.user ?? null,
      action: state.action ?? null,
      ...instantsOfSpan(state, timeZone),
    }),
  );
  const narrowed = isFiltered("rule", "user", "action", "days", "from", "to");
  return (
    <SectionCard
      title="Findings"
      description="Calls in which rules matched, newest first. What was matched is kept nowhere."
      flush
    >
      <FindingFilters
        rules={rules}
        state={state}
        onChange={set}
        onClear={narrowed ? clear : undefined}
      />
      <DataTable
        label="Findings"
        columns={columns}
        query={query}
        pacing="asked"
        skeletonRows={3}
        flush
        empty={
          <EmptyState
            icon={IconShieldSearch}
            title={narrowed ? "No such findings" : "Nothing found yet"}
          >
            Every call in which a rule matches shows up here, and stays for 90 days.
          </EmptyState>
        }
      />
    </SectionCard>
  );
}

const columns: Column<Finding>[] = [
  {
    id: "rule",
    header: "Rule",
    cell: ({ ruleName, matches }) => (
      <>
        <span style={{ overflowWrap: "anywhere" }}>{ruleName}</span>
        <Text size="xs" c="dimmed">
          {plural(matches, "match", "matches")}
        </Text>
      </>
    ),
  },
  {
    id: "action",
    header: "Action",
    cell: ({ action }) => <Badge color={actions[action].color}>{actions[action].label}</Badge>,
  },
  {
    id: "who",
    header: "Who",
    cell: ({ userLabel, user }) => <Person label={userLabel} {...(user ? { id: user.id } : {})} />,
  },
  { id: "key", header: "Key", cell: ({ keyLabel }) => keyLabel || "–", from: "md" },
  {
    id: "model",
    header: "Model",
    cell: ({ modelSlug }) => <span className="mono">{modelSlug}</span>,
    from: "md",
  },
  { id: "at", header: "When", cell: ({ at }) => <When at={at} />, from: "sm" },
];
