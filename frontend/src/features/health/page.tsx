import { Alert, Badge, Stack, Text } from "@mantine/core";
import { IconHeartbeat } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "@/components/empty-state";
import { Loaded } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import { CardSkeleton } from "@/components/skeletons";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import { type Backend, healthQuery } from "@/features/health/queries";
import { formatCount, formatDuration, formatShare, plural } from "@/lib/numbers";

export function HealthPage() {
  const query = useQuery(healthQuery);
  return (
    <Stack gap="lg">
      <PageHeader
        title="Health"
        description="Backends that fail rest for a while, and calls go to others until a probe finds them well."
      />
      <Loaded query={query} skeleton={<CardSkeleton rows={6} />}>
        {(backends) =>
          backends.length === 0 ? (
            <EmptyState icon={IconHeartbeat} title="No backend takes calls">
              Once an active model has a backend with a known price, it shows up here.
            </EmptyState>
          ) : (
            <>
              <Outage backends={backends} />
              <SectionCard
                title="Backends"
                mark={<Summary backends={backends} />}
                description="Since this server started, or since the provider's address or credential last changed."
                flush
              >
                <RowsTable label="Backends" columns={columns} rows={backends.map(rowOf)} />
              </SectionCard>
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

interface Row extends Backend {
  id: string;
}

const rowOf = (backend: Backend): Row => ({
  ...backend,
  id: `${backend.providerId} ${backend.providerModel}`,
});

function Summary({ backends }: { backends: Backend[] }) {
  const resting = backends.filter(({ state }) => state === "RESTING").length;
  return resting === 0 ? (
    <Badge color="green">All take calls</Badge>
  ) : (
    <Badge color="red">
      {resting} of {backends.length} resting
    </Badge>
  );
}

/** The models that nobody serves at the moment: what an administrator has to do something about. */
function Outage({ backends }: { backends: Backend[] }) {
  const out = backends
    .filter(({ state }) => state === "RESTING")
    .flatMap(({ serves }) => serves.filter(({ alone }) => alone));
  const models = [...new Map(out.map((model) => [model.id, model])).values()];
  if (models.length === 0) return null;
  return (
    <Alert
      color="red"
      title={`${plural(models.length, "model has", "models have")} no healthy backend`}
    >
      {models.map(({ id, slug }, index) => (
        <span key={id}>
          {index > 0 ? ", " : null}
          <Link to="/admin/models/$modelId" params={{ modelId: id }} className="mono">
            {slug}
          </Link>
        </span>
      ))}
      . Calls fail at once or are tried on backends that refused before, until one answers again.
    </Alert>
  );
}

const failuresOf = ({ refused, unreached, brokeOff }: Backend) => refused + unreached + brokeOff;

function breakdownOf({ refused, unreached, brokeOff }: Backend): string {
  const parts: [number, string][] = [
    [refused, "answered with 429 or 5xx"],
    [unreached, "not answered"],
    [brokeOff, "broken off"],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${formatCount(count)} ${what}`)
    .join(", ");
}

const columns: Column<Row>[] = [
  {
    id: "backend",
    header: "Backend",
    cell: ({ providerId, providerName, providerModel }) => (
      <>
        <Link
          to="/admin/providers/$providerId"
          params={{ providerId }}
          className="nowrap quiet-link"
        >
          {providerName}
        </Link>
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {providerModel}
        </Text>
      </>
    ),
  },
  { id: "state", header: "State", cell: (row) => <State backend={row} /> },
  {
    id: "serves",
    header: "Serves",
    cell: ({ serves }) => serves.map(({ slug }) => slug).join(", "),
    from: "md",
  },
  {
    id: "inFlight",
    header: "Waiting",
    cell: ({ inFlight }) => formatCount(inFlight),
    numeric: true,
    from: "md",
  },
  {
    id: "answered",
    header: "Answered",
    cell: ({ answered }) => formatCount(answered),
    numeric: true,
    from: "sm",
  },
  {
    id: "failed",
    header: "Failed",
    cell: (row) => {
      const failures = failuresOf(row);
      if (failures === 0) return "0";
      const attempts = row.answered + row.refused + row.unreached;
      return (
        <span title={breakdownOf(row)} className="nowrap">
          {formatCount(failures)} ({formatShare(failures, attempts)})
        </span>
      );
    },
    numeric: true,
  },
  {
    id: "head",
    header: "Answer begins after",
    cell: ({ headMs }) => (headMs === null || headMs === undefined ? "–" : formatDuration(headMs)),
    numeric: true,
    from: "lg",
  },
  {
    id: "lastFailure",
    header: "Last failure",
    cell: ({ lastFailure, lastFailureAt }) =>
      lastFailure ? (
        <>
          <When at={lastFailureAt} />
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {lastFailure}
          </Text>
        </>
      ) : (
        "None"
      ),
    from: "lg",
  },
];

function State({ backend: { state, restsUntil } }: { backend: Backend }) {
  if (state === "HEALTHY") return <Badge color="green">Healthy</Badge>;
  if (state === "PROBING") return <Badge color="yellow">Being tried</Badge>;
  return (
    <>
      <Badge color="red">Resting</Badge>
      <Text size="xs" c="dimmed">
        next try <When at={restsUntil} />
      </Text>
    </>
  );
}
