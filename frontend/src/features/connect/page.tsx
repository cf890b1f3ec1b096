import { Card, Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";
import { ConnectPanel } from "@/features/connect/connect-panel";
import type { ConnectSearch } from "@/features/connect/search";
import { useTableState } from "@/lib/use-table-state";

export function ConnectPage() {
  const { state, set } = useTableState<ConnectSearch>();
  return (
    <Stack gap="lg" maw={820}>
      <PageHeader
        title="Connect"
        description="Set up an assistant or a script to call through this gateway, ready to paste."
      />
      <Card>
        <ConnectPanel client={state.client} model={state.model} onChoose={set} />
      </Card>
    </Stack>
  );
}
