import { Group, Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";
import type { UsageScope } from "@/features/usage/queries";
import type { AdminUsageSearch } from "@/features/usage/search";
import { UsageRange } from "@/features/usage/usage-range";
import { UsageView } from "@/features/usage/usage-view";
import { WhoseFilter } from "@/features/usage/whose-filter";
import { useTableState } from "@/lib/use-table-state";

export function AdminUsagePage() {
  const { state, set } = useTableState<AdminUsageSearch>();
  return (
    <Stack gap="lg">
      <PageHeader
        title="Usage"
        description="Everybody's calls, tokens and spend."
        actions={
          <Group gap="xs">
            <WhoseFilter user={state.user} group={state.group} onChange={set} />
            <UsageRange />
          </Group>
        }
      />
      <UsageView scope={scopeOf(state)} />
    </Stack>
  );
}

function scopeOf({ user, group }: AdminUsageSearch): UsageScope {
  if (user !== undefined) return { userId: user };
  return group === undefined ? { everyone: true } : { groupId: group };
}
