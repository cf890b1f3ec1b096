import { Badge, Button, Group, SegmentedControl, Stack, Switch, Text } from "@mantine/core";
import { IconDownload, IconTrophy, IconTrophyOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { EmptyState } from "@/components/empty-state";
import { LoadFailure } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import {
  type Leaderboard,
  leaderboardQuery,
  mostPlaces,
  type Place,
  useSetLeaderboard,
} from "@/features/leaderboard/queries";
import type { LeaderboardSearch } from "@/features/leaderboard/search";
import { useSession } from "@/features/session/queries";
import { Person } from "@/features/usage/person";
import { downloadCsv } from "@/lib/csv";
import { formatCents } from "@/lib/currency";
import { formatCompact, formatCount, formatShare, plural } from "@/lib/numbers";
import { useTableState } from "@/lib/use-table-state";

const spans = [
  { value: "WEEK", label: "7 days" },
  { value: "MONTH", label: "30 days" },
  { value: "QUARTER", label: "90 days" },
  { value: "EVER", label: "All time" },
];
const orders = [
  { value: "TOKENS", label: "Tokens" },
  { value: "SPEND", label: "Spend" },
  { value: "REQUESTS", label: "Requests" },
];

export function LeaderboardPage() {
  const { isAdmin } = useSession().viewer;
  const { state, set } = useTableState<LeaderboardSearch>();
  const span = state.span ?? "MONTH";
  const order = state.by ?? "TOKENS";
  const query = useQuery(leaderboardQuery(span, order));
  const board = query.data;
  return (
    <Stack gap="lg">
      <PageHeader
        title="Leaderboard"
        description={
          isAdmin
            ? "Who uses most. Members see everybody but themselves under a pseudonym that stays the same."
            : "Who uses most. Everybody but you has a pseudonym, which stays the same; so have you for others."
        }
        actions={isAdmin && board !== undefined ? <OnOff enabled={board.enabled} /> : null}
      />
      <Group gap="xs">
        <SegmentedControl
          aria-label="Over which time"
          data={spans}
          value={span}
          onChange={(value) => set({ span: value as typeof span })}
        />
        <SegmentedControl
          aria-label="Ranked by"
          data={orders}
          value={order}
          onChange={(value) => set({ by: value as typeof order })}
        />
      </Group>
      {board === undefined && query.isError ? (
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Board board={board} stale={query.isPlaceholderData} name={`${span}-${order}`} />
      )}
    </Stack>
  );
}

interface BoardProps {
  board: Leaderboard | undefined;
  stale: boolean;
  name: string;
}

function Board({ board, stale, name }: BoardProps) {
  const rows = board && shownPlaces(board);
  return (
    <SectionCard
      title="Places"
      {...(board?.enabled
        ? { description: `${plural(board.people, "person", "people")} used anything.` }
        : {})}
      flush
      actions={
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          disabled={!rows || rows.length === 0}
          onClick={() => rows && download(rows, name)}
        >
          CSV
        </Button>
      }
    >
      {board?.enabled === false ? (
        <EmptyState icon={IconTrophyOff} title="The leaderboard is off">
          An administrator turned it off for everybody.
        </EmptyState>
      ) : rows?.length === 0 ? (
        <EmptyState icon={IconTrophy} title="Nobody used anything">
          Places show here once somebody calls a model in this time.
        </EmptyState>
      ) : (
        <RowsTable label="Places" columns={columns} rows={rows} stale={stale} skeletonRows={8} />
      )}
    </SectionCard>
  );
}

type Row = Place & { id: string };

/** The first ones, and one's own place below them where it is further down. */
function shownPlaces({ places, own }: Leaderboard): Row[] {
  const further = own && own.rank > mostPlaces ? [own] : [];
  return [...places, ...further].map((place) => ({ ...place, id: String(place.rank) }));
}

const tokens = ({ totals: { inputTokens, outputTokens } }: Place): number =>
  inputTokens + outputTokens;

const columns: Column<Row>[] = [
  { id: "rank", header: "Rank", numeric: true, cell: ({ rank }) => formatCount(rank) },
  {
    id: "name",
    header: "Who",
    cell: ({ name, userId, own }) => (
      <Group gap="xs" wrap="nowrap">
        <div>
          {userId !== null && !own ? <Person id={userId} label={name} /> : <Person label={name} />}
        </div>
        {own ? <Badge>You</Badge> : null}
      </Group>
    ),
  },
  {
    id: "tokens",
    header: "Tokens",
    numeric: true,
    cell: (place) => (
      <>
        <span title={formatCount(tokens(place))}>{formatCompact(tokens(place))}</span>
        <Text size="xs" c="dimmed" visibleFrom="sm">
          {formatShare(place.totals.cacheReadTokens, tokens(place))} cached
        </Text>
      </>
    ),
  },
  {
    id: "requests",
    header: "Requests",
    numeric: true,
    from: "sm",
    cell: ({ totals }) => formatCount(totals.requests),
  },
  {
    id: "cost",
    header: "Spend",
    numeric: true,
    cell: ({ totals }) => <span title={`$${totals.cost}`}>{formatCents(totals.cost)}</span>,
  },
];

function OnOff({ enabled }: { enabled: boolean }) {
  const turn = useSetLeaderboard();
  return (
    <Switch
      label="On for everybody"
      checked={enabled}
      disabled={turn.isPending}
      onChange={(event) => turn.mutate(event.currentTarget.checked)}
    />
  );
}

function download(rows: Row[], name: string): void {
  downloadCsv(
    `leaderboard-${name.toLowerCase()}.csv`,
    ["rank", "name", "requests", "input_tokens", "cache_read_tokens", "output_tokens", "cost_usd"],
    rows.map(({ rank, name: who, totals }) => [
      rank,
      who,
      totals.requests,
      totals.inputTokens,
      totals.cacheReadTokens,
      totals.outputTokens,
      totals.cost,
    ]),
  );
}
