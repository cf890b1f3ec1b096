import { Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";

export function DashboardPage() {
  return (
    <Stack gap="lg">
      <PageHeader title="Dashboard" />
    </Stack>
  );
}
