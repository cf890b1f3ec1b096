import { Alert, Badge, Button, Group, Text } from "@mantine/core";
import { IconPlus, IconWebhook } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { EmptyState } from "@/components/empty-state";
import { FormDialog } from "@/components/form-dialog";
import { LoadFailure } from "@/components/loaded";
import { RowsTable } from "@/components/rows-table";
import { SecretDialog } from "@/components/secret-dialog";
import { SecretOnce } from "@/components/secret-once";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import { subjectLabels, WebhookForm } from "@/features/alerts/components/webhook-form";
import {
  useCreateWebhook,
  useDeleteWebhook,
  useRotateSecret,
  useTestWebhook,
  useUpdateWebhook,
  type Webhook,
  webhooksQuery,
} from "@/features/alerts/queries";
import { notifySuccess } from "@/lib/notify";

export function WebhooksCard() {
  const query = useQuery(webhooksQuery);
  const [creating, setCreating] = useState(false);
  const create = useCreateWebhook();
  return (
    <SectionCard
      title="Webhooks"
      description="Endpoints of yours that get alerts as signed messages, again until they take them."
      flush
      actions={
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setCreating(true)}
        >
          Add webhook
        </Button>
      }
    >
      {query.data === undefined && query.isError ? (
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data?.length === 0 ? (
        <EmptyState icon={IconWebhook} title="No webhooks yet">
          Add one for a pager, a chat or a script that should know when budgets run out.
        </EmptyState>
      ) : (
        <RowsTable label="Webhooks" columns={columns} rows={query.data} />
      )}
      <SecretDialog<string>
        opened={creating}
        onClose={() => setCreating(false)}
        title="Add webhook"
        readyTitle="Your webhook is ready"
        form={(onMade) => (
          <WebhookForm
            submitLabel="Add webhook"
            onCancel={() => setCreating(false)}
            onSave={async (values) => onMade(await create.mutateAsync(values))}
          />
        )}
      >
        {(secret) => <SigningSecret secret={secret} />}
      </SecretDialog>
    </SectionCard>
  );
}

const SigningSecret = ({ secret }: { secret: string }) => (
  <SecretOnce secret={secret} what="secret">
    Copy the secret now. Nobody can show it again. Your endpoint checks with it that a message is
    ours.
  </SecretOnce>
);

const columns: Column<Webhook>[] = [
  {
    id: "name",
    header: "Name",
    cell: ({ name, url }) => (
      <>
        <Text inherit fw={500} style={{ overflowWrap: "anywhere" }}>
          {name}
        </Text>
        <Text size="xs" c="dimmed" className="mono" style={{ overflowWrap: "anywhere" }}>
          {url}
        </Text>
      </>
    ),
  },
  {
    id: "subjects",
    header: "Alerts about",
    from: "sm",
    cell: ({ subjects }) => subjects.map((kind) => subjectLabels[kind]).join(", "),
  },
  {
    id: "state",
    header: "State",
    from: "sm",
    cell: ({ enabled }) => (
      <Badge color={enabled ? "green" : "gray"}>{enabled ? "On" : "Off"}</Badge>
    ),
  },
  {
    id: "secret",
    header: "Secret since",
    from: "md",
    cell: ({ secretUpdatedAt }) => <When at={secretUpdatedAt} />,
  },
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: (webhook) => <Actions webhook={webhook} />,
  },
];

const small = { size: "compact-sm", variant: "subtle" } as const;

function Actions({ webhook }: { webhook: Webhook }) {
  const { id, name } = webhook;
  const [open, setOpen] = useState<"edit" | "test" | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const update = useUpdateWebhook();
  const rotate = useRotateSecret();
  const remove = useDeleteWebhook();
  const test = useTestWebhook();
  const outcome = test.data;
  return (
    <Group gap={2} justify="flex-end">
      <Button
        {...small}
        loading={test.isPending}
        aria-label={`Send a test to ${name}`}
        onClick={() => test.mutate(id, { onSuccess: () => setOpen("test") })}
      >
        Test
      </Button>
      <Button {...small} aria-label={`Edit ${name}`} onClick={() => setOpen("edit")}>
        Edit
      </Button>
      <Confirmed
        title={`Give ${name} a new secret?`}
        consequence="From now on messages are signed with the new secret alone. Your endpoint refuses them until it knows it."
        confirmLabel="Make a new secret"
        onConfirm={async () => setSecret(await rotate.mutateAsync(id))}
        trigger={(ask) => (
          <Button {...small} aria-label={`New secret for ${name}`} onClick={ask}>
            New secret
          </Button>
        )}
      />
      <Confirmed
        title={`Delete ${name}?`}
        consequence="Nothing is sent to it any more, also what waits. Its deliveries disappear from the log."
        confirmLabel="Delete webhook"
        onConfirm={async () => {
          await remove.mutateAsync(id);
          notifySuccess(`${name} is deleted.`);
        }}
        trigger={(ask) => (
          <Button {...small} color="red" aria-label={`Delete ${name}`} onClick={ask}>
            Delete
          </Button>
        )}
      />
      <FormDialog opened={open === "edit"} onClose={() => setOpen(null)} title={`Edit ${name}`}>
        <WebhookForm
          webhook={webhook}
          submitLabel="Save webhook"
          onCancel={() => setOpen(null)}
          onSave={async (values) => {
            await update.mutateAsync({ id, ...values });
            setOpen(null);
          }}
        />
      </FormDialog>
      <FormDialog opened={open === "test"} onClose={() => setOpen(null)} title={`Test of ${name}`}>
        {outcome?.status === "DELIVERED" ? (
          <Alert color="green" role="status">
            {name} took the test message and answered with status {outcome.responseStatus}.
          </Alert>
        ) : (
          <Alert color="red" role="alert">
            {name} did not take the test message. {outcome?.error}
          </Alert>
        )}
      </FormDialog>
      <FormDialog
        opened={secret !== null}
        onClose={() => setSecret(null)}
        title="The new secret"
        sticky
      >
        {secret === null ? null : <SigningSecret secret={secret} />}
        <Group justify="flex-end" mt="lg">
          <Button onClick={() => setSecret(null)}>Done</Button>
        </Group>
      </FormDialog>
    </Group>
  );
}
