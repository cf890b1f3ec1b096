import { Badge, Text } from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { FileButton } from "@/components/file-button";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { CallCost } from "@/features/usage/call-cost";
import { CallFilters } from "@/features/usage/call-filters";
import { callsAddress, instantsOf } from "@/features/usage/exports";
import { Person } from "@/features/usage/person";
import { type Call, callsQuery, type UsageScope } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import type { UsageSearch } from "@/features/usage/search";
import { formatCompact, formatCount, formatDuration } from "@/lib/numbers";
import { useTableState } from "@/lib/use-table-state";
import classes from "./usage.module.css";

const outcomes: Record<string, { label: string; color: string; hint: string }> = {
  ok: { label: "OK", color: "green", hint: "Answered completely" },
  aborted: {
    label: "Aborted",
    color: "yellow",
    hint: "The caller left before the end; what had flowed is billed",
  },
  upstream_error: { label: "Failed", color: "red", hint: "The provider refused or broke off" },
  unreachable: { label: "Unreachable", color: "red", hint: "No provider could be reached" },
  recovered: {
    label: "Recovered",
    color: "gray",
    hint: "Settled at its estimate after the server was stopped hard",
  },
};

interface Props {
  scope: UsageScope;
  range: Range;
  timeZone: string;
}

export function CallsCard({ scope, range, timeZone }: Props) {
  const { state, set } = useTableState<UsageSearch>();
  const { model, key, provider, outcome, status } = state;
  const narrowing = { model, key, provider, outcome, status };
  const query = useInfiniteQuery(
    callsQuery(scope, { ...instantsOf(range, timeZone), ...narrowing }),
  );
  const narrowed = Object.values(narrowing).some((value) => value !== undefined);
  return (
    <SectionCard
      title="Recent calls"
      description="Those of the chosen days, newest first. Prompts and answers are never stored."
      flush
      actions={<FileButton href={callsAddress(scope, range, timeZone, narrowing)} small />}
    >
      <CallFilters state={state} onChange={set} />
      <DataTable
        label="Recent calls"
        columns={scope.everyone ? [when, who, ...rest] : [when, ...rest]}
        query={query}
        pacing="asked"
        skeletonRows={5}
        flush
        empty={
          <EmptyState
            icon={IconListDetails}
            title={narrowed ? "No call matches" : "No calls in these days"}
          >
            Each call shows up here a few seconds after it ends.
          </EmptyState>
        }
      />
    </SectionCard>
  );
}

const when: Column<Call> = { id: "at", header: "When", cell: ({ at }) => <When at={at} /> };

const who: Column<Call> = {
  id: "user",
  header: "User",
  cell: ({ userLabel }) => <Person label={userLabel} />,
  from: "sm",
};

const rest: Column<Call>[] = [
  {
    id: "model",
    header: "Model",
    cell: ({ model, providerName }) => (
      <>
        <span className={`mono ${classes.slug}`}>{model}</span>
        <Text size="xs" c="dimmed" visibleFrom="sm">
          {providerName}
        </Text>
      </>
    ),
  },
  {
    id: "through",
    header: "Client and key",
    cell: ({ clientApp, keyName, project }) => (
      <>
        {clientApp ?? "Not told"}
        <Text size="xs" c="dimmed">
          {[keyName, project].filter(Boolean).join(" · ") || "–"}
        </Text>
      </>
    ),
    from: "md",
  },
  {
    id: "tokens",
    header: "Tokens in / out",
    numeric: true,
    cell: (call) => (
      <span
        title={`${formatCount(call.inputTokens)} in, of which ${formatCount(call.cacheReadTokens)} cached; ${formatCount(call.outputTokens)} out`}
      >
        {formatCompact(call.inputTokens)} / {formatCompact(call.outputTokens)}
      </span>
    ),
    from: "sm",
  },
  {
    id: "latency",
    header: "Duration",
    numeric: true,
    cell: ({ latencyMs, firstByteMs }) => (
      <span
        title={firstByteMs === null ? undefined : `First byte after ${formatDuration(firstByteMs)}`}
      >
        {formatDuration(latencyMs)}
      </span>
    ),
    from: "md",
  },
  {
    id: "cost",
    header: "Cost",
    numeric: true,
    cell: (call) => <CallCost call={call} />,
  },
  {
    id: "outcome",
    header: "Result",
    cell: ({ outcome, status }) => {
      const known = outcomes[outcome] ?? { label: outcome, color: "gray", hint: outcome };
      return (
        <Badge color={known.color} title={`${known.hint} (HTTP ${status})`}>
          {known.label}
        </Badge>
      );
    },
  },
];
