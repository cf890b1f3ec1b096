import { Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";
import { DeliveriesCard } from "@/features/alerts/components/deliveries-card";
import { RecipientsCard } from "@/features/alerts/components/recipients-card";
import { ToldCard } from "@/features/alerts/components/told-card";
import { WebhooksCard } from "@/features/alerts/components/webhooks-card";

/** Everything that is told of budgets: to whom, where to, and what became of it. */
export function AlertsAdminPage() {
  return (
    <Stack gap="lg" maw={1000}>
      <PageHeader
        title="Alerts and webhooks"
        description="When spending reaches a threshold, once for each budget and period. At which per cent is set beside each budget."
      />
      <RecipientsCard />
      <WebhooksCard />
      <DeliveriesCard />
      <ToldCard />
    </Stack>
  );
}
