import { Badge, Text } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import { EmptyState } from "@/components/empty-state";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import { LinesSkeleton } from "@/components/skeletons";
import type { Column } from "@/components/table-parts";
import { ListFrame } from "@/features/live/list-frame";
import { type CallInFlight, formatAge, type Picture } from "@/features/live/picture";
import { Person } from "@/features/usage/person";
import { formatExact } from "@/lib/dates";
import { formatCompact, formatCount } from "@/lib/numbers";

interface Props {
  picture: Picture | undefined;
  now: number;
}

export function CallsCard({ picture, now }: Props) {
  const more = picture ? picture.inFlight - picture.calls.length : 0;
  return (
    <SectionCard
      title="Calls in flight"
      mark={picture ? <Badge variant="light">{formatCount(picture.inFlight)}</Badge> : null}
      description={
        more > 0
          ? `The ${picture?.calls.length} that began first; ${formatCount(more)} more are not shown.`
          : "The longest first. Prompts and answers are never shown."
      }
      flush
    >
      <ListFrame label="Calls in flight">
        {picture === undefined ? (
          <LinesSkeleton />
        ) : picture.calls.length === 0 ? (
          <EmptyState icon={IconBolt} title="No call is in flight">
            A call shows up here within a second, and goes when its answer is out.
          </EmptyState>
        ) : (
          <RowsTable
            label="Calls in flight"
            columns={columnsFor(picture.everyone, now)}
            rows={picture.calls}
          />
        )}
      </ListFrame>
    </SectionCard>
  );
}

function columnsFor(everyone: boolean, now: number): Column<CallInFlight>[] {
  const who: Column<CallInFlight> = {
    id: "user",
    header: "User",
    cell: ({ user, userId }) => <Person label={user} id={userId} />,
  };
  const rest: Column<CallInFlight>[] = [
    {
      id: "model",
      header: "Model",
      cell: ({ model, provider, providerModel }) => (
        <>
          <span className="mono">{model}</span>
          <Text size="xs" c="dimmed" title={providerModel ?? undefined}>
            {provider ?? "Choosing a provider"}
          </Text>
        </>
      ),
    },
    {
      id: "through",
      header: "Client and key",
      cell: ({ clientApp, key, project }) => (
        <>
          {clientApp ?? "Not told"}
          <Text size="xs" c="dimmed">
            {[key, project].filter(Boolean).join(" · ")}
          </Text>
        </>
      ),
      from: "md",
    },
    {
      id: "tokens",
      header: "Tokens in / out",
      numeric: true,
      cell: ({ inputTokens, outputTokens }) => (
        <span
          title={`${formatCount(inputTokens)} in; ${outputTokens === null ? "nothing out yet" : `${formatCount(outputTokens)} out so far`}`}
        >
          {formatCompact(inputTokens)} / {outputTokens === null ? "–" : formatCompact(outputTokens)}
        </span>
      ),
      from: "sm",
    },
    {
      id: "kind",
      header: "Answer",
      cell: ({ streamed }) => (streamed ? "Stream" : "Whole"),
      from: "lg",
    },
    {
      id: "age",
      header: "For",
      numeric: true,
      width: 96,
      cell: ({ startedAt }) => (
        <time dateTime={startedAt} title={`Since ${formatExact(startedAt)}`}>
          {formatAge(now - Date.parse(startedAt))}
        </time>
      ),
    },
  ];
  return everyone ? [who, ...rest] : rest;
}
