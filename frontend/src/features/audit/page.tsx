import { Button, Menu, Stack } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { AuditFilters } from "@/features/audit/components/audit-filters";
import { auditColumns } from "@/features/audit/components/audit-table";
import { type AuditFilter, exportAddress, filterOf } from "@/features/audit/filter";
import { auditLogQuery } from "@/features/audit/queries";
import type { AuditSearch } from "@/features/audit/search";
import { useSession } from "@/features/session/queries";
import { rowsOf } from "@/lib/pages";
import { useTableState } from "@/lib/use-table-state";

export function AuditLogPage() {
  const { timeZone } = useSession().deployment;
  const { state, set, clear, isFiltered } = useTableState<AuditSearch>();
  const filter = filterOf(state, timeZone);
  const query = useInfiniteQuery(auditLogQuery(filter));
  const narrowed = isFiltered("q", "action", "actor", "kind", "id", "days", "from", "to");
  const about = rowsOf(query.data).find(({ targetId }) => targetId === state.id)?.targetLabel;

  return (
    <Stack gap="lg">
      <PageHeader
        title="Audit log"
        description="Who changed what, newest first. It is written with the change itself and stays as it was written."
        actions={<Export filter={filter} />}
      />
      <Stack gap="sm">
        <AuditFilters
          state={state}
          onChange={set}
          about={about}
          {...(narrowed ? { onClear: clear } : {})}
        />
        <DataTable
          label="Audit log"
          columns={auditColumns}
          query={query}
          tall
          empty={
            narrowed ? (
              <EmptyState
                icon={IconHistory}
                title="No change matches"
                action={
                  <Button variant="default" onClick={clear}>
                    Clear search and filters
                  </Button>
                }
              >
                Nothing in the log is like this, or the filters leave nothing.
              </EmptyState>
            ) : (
              <EmptyState icon={IconHistory} title="No changes yet">
                Whatever somebody changes here or through the API is written down.
              </EmptyState>
            )
          }
        />
      </Stack>
    </Stack>
  );
}

/** Everything that the filters leave, not just what is on screen. */
function Export({ filter }: { filter: AuditFilter }) {
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(["csv", "json"] as const).map((format) => (
          <Menu.Item key={format} component="a" href={exportAddress(filter, format)} download>
            As {format.toUpperCase()}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
