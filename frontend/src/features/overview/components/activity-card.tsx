import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Loaded } from "@/components/loaded";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import { actionLabel } from "@/features/audit/words";
import { More } from "@/features/overview/components/more";
import { type AdminEvent, eventsQuery } from "@/features/overview/queries";
import { splitLabel } from "@/lib/labels";
import { plural } from "@/lib/numbers";

/** What was changed last, and what the gateway refused to let in. */
export function ActivityCard() {
  const query = useQuery(eventsQuery);
  return (
    <SectionCard
      title="Recent changes"
      flush
      actions={<More to="/admin/audit-log">Audit log</More>}
    >
      <Loaded query={query}>
        {({ auditEvents, refusals }) => (
          <>
            <RowsTable
              label="Recent changes"
              columns={columns}
              rows={auditEvents.edges.map(({ node }) => node)}
            />
            <Text size="xs" c="dimmed" px="lg" py="xs" component="div">
              {refusals.totalCount === 0 ? (
                "The audit log has no refused key: none that is revoked, expired or of a suspended person, and none with a secret in a prompt. "
              ) : (
                <>
                  {plural(refusals.totalCount, "entry", "entries")} about refused keys, the last{" "}
                  <When at={refusals.edges[0]?.node.at} />: those that are revoked, expired or of
                  suspended people, and secrets in prompts, each at most once an hour.{" "}
                  <More to="/admin/audit-log" search={{ action: "gateway.refuse" }}>
                    Show them
                  </More>{" "}
                </>
              )}
              All refused calls are counted under Refused calls; the latest are on{" "}
              <More to="/admin/live">Live</More>.
            </Text>
          </>
        )}
      </Loaded>
    </SectionCard>
  );
}

const columns: Column<AdminEvent>[] = [
  {
    id: "what",
    header: "What",
    cell: ({ action, targetLabel, actorLabel }) => (
      <>
        <span style={{ overflowWrap: "anywhere" }} title={targetLabel}>
          {actionLabel(action)}{" "}
          <Text span inherit fw={500}>
            {splitLabel(targetLabel).name}
          </Text>
        </span>
        <Text size="xs" c="dimmed" title={actorLabel}>
          {actorLabel === "system" ? "The server" : splitLabel(actorLabel).name}
        </Text>
      </>
    ),
  },
  { id: "at", header: "When", numeric: true, cell: ({ at }) => <When at={at} /> },
];
