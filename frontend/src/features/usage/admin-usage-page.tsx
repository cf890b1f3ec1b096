import { Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";
import { UsageRange } from "@/features/usage/usage-range";
import { UsageView } from "@/features/usage/usage-view";

const everyone = { everyone: true };

export function AdminUsagePage() {
  return (
    <Stack gap="lg">
      <PageHeader
        title="Usage"
        description="Everybody's calls, tokens and spend."
        actions={<UsageRange />}
      />
      <UsageView scope={everyone} />
    </Stack>
  );
}
