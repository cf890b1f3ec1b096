import { Badge, Button, Text } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Column } from "@/components/data-table";
import { LogCard } from "@/components/log-card";
import { When } from "@/components/when";
import { deliveriesQuery, useRetryDelivery, type WebhookDelivery } from "@/features/alerts/queries";
import type { WebhookDeliveryStatus } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";

const statuses: Record<WebhookDeliveryStatus, { label: string; color: string }> = {
  QUEUED: { label: "Waiting", color: "yellow" },
  DELIVERED: { label: "Delivered", color: "green" },
  FAILED: { label: "Failed", color: "red" },
};

const useDeliveries = (status: WebhookDeliveryStatus | null) =>
  useInfiniteQuery(deliveriesQuery(status));

/** What was posted to webhooks, and what they answered. */
export const DeliveriesCard = () => (
  <LogCard
    title="Delivery log"
    description="Messages to webhooks, newest first. They are tried for a day and kept for 90."
    narrowing="Which deliveries"
    statuses={statuses}
    columns={columns}
    useRows={useDeliveries}
    icon={IconSend}
    none={["No such deliveries", "Nothing sent yet"]}
  >
    Every alert and every test that is posted to a webhook shows up here.
  </LogCard>
);

const columns: Column<WebhookDelivery>[] = [
  {
    id: "webhook",
    header: "To",
    cell: ({ webhook, kind, error }) => (
      <>
        {webhook?.name ?? "Deleted"}
        <Text size="xs" c="dimmed">
          {kind === "TEST" ? "Test" : "Alert"}
          {error ? ` · ${error}` : ""}
        </Text>
      </>
    ),
  },
  {
    id: "status",
    header: "Status",
    cell: ({ status }) => <Badge color={statuses[status].color}>{statuses[status].label}</Badge>,
  },
  {
    id: "answer",
    header: "Answer",
    numeric: true,
    from: "sm",
    cell: ({ responseStatus }) => responseStatus ?? "–",
  },
  {
    id: "attempts",
    header: "Attempts",
    numeric: true,
    from: "sm",
    cell: ({ attempts }) => plural(attempts, "try", "tries"),
  },
  { id: "at", header: "Queued", from: "md", cell: ({ createdAt }) => <When at={createdAt} /> },
  {
    id: "next",
    header: "Next try or end",
    from: "sm",
    cell: ({ nextAttemptAt, finishedAt }) => <When at={nextAttemptAt ?? finishedAt} none="–" />,
  },
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: (delivery) => (delivery.status === "DELIVERED" ? null : <Retry delivery={delivery} />),
  },
];

function Retry({ delivery: { id, webhook } }: { delivery: WebhookDelivery }) {
  const retry = useRetryDelivery();
  return (
    <Button
      size="compact-sm"
      variant="subtle"
      loading={retry.isPending}
      aria-label={`Try now: message to ${webhook?.name ?? "a deleted webhook"}`}
      onClick={() => retry.mutate(id, { onSuccess: () => notifySuccess("It is tried now.") })}
    >
      Try now
    </Button>
  );
}
