import { Badge, Text } from "@mantine/core";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import type { Job } from "@/features/settings/queries";
import { plural } from "@/lib/numbers";

interface Props {
  jobs: Job[];
}

export function JobsCard({ jobs }: Props) {
  return (
    <SectionCard
      title="Recurring work"
      description="What the server does by itself, one process at a time."
      flush
    >
      <RowsTable
        label="Recurring work"
        columns={columns}
        rows={jobs.map((job) => ({ ...job, id: job.name }))}
      />
    </SectionCard>
  );
}

const columns: Column<Job & { id: string }>[] = [
  {
    id: "name",
    header: "Work",
    cell: ({ name, error }) => (
      <>
        {name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[._-]/g, " ")}
        {error ? (
          <Text size="xs" c="var(--mantine-color-error)" style={{ overflowWrap: "anywhere" }}>
            {error}
          </Text>
        ) : null}
      </>
    ),
  },
  {
    id: "state",
    header: "State",
    cell: ({ running, failures }) =>
      failures > 0 ? (
        <Badge color="red">Failed {plural(failures, "time")}</Badge>
      ) : (
        <Badge color={running ? "blue" : "green"}>{running ? "Running" : "OK"}</Badge>
      ),
  },
  {
    id: "last",
    header: "Last ended",
    cell: ({ finishedAt }) => <When at={finishedAt} />,
    from: "sm",
  },
  { id: "next", header: "Next", cell: ({ dueAt }) => <When at={dueAt} /> },
];
