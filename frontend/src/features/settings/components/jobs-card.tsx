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

/** As people call it; what a newer server does besides shows by the name that it has there. */
const labels: Record<string, string> = {
  "alerts.look": "Look for budgets past a threshold",
  "alerts.tidy": "Forget old alerts",
  "invitations.note_lapsed": "Note invitations that lapsed",
  "links.remove_dead": "Remove links that are dead",
  "mail.deliver": "Deliver mail",
  "mail.tidy": "Forget old letters",
  "policy_changes.remove_old": "Remove policy changes in force everywhere",
  "secret_findings.remove_old": "Remove old secret findings",
  "sessions.remove_ended": "Remove sessions that ended",
  "usage.forget": "Forget usage past its retention",
  "usage.roll_up": "Sum up usage",
  "webhooks.deliver": "Deliver webhooks",
  "webhooks.tidy": "Forget old webhook deliveries",
};

const labelOf = (name: string): string =>
  labels[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[._-]/g, " ");

const columns: Column<Job & { id: string }>[] = [
  {
    id: "name",
    header: "Work",
    cell: ({ name, error }) => (
      <>
        {labelOf(name)}
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
