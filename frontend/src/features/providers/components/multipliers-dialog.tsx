import { Button, Stack, Table, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import * as z from "zod/mini";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { useUpdateProvider } from "@/features/providers/mutations";
import { startProblem } from "@/features/providers/planned";
import { factor } from "@/features/providers/provider-form";
import type { Provider } from "@/features/providers/queries";
import { formatExact } from "@/lib/dates";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  provider: Provider;
  opened: boolean;
  onClose: () => void;
}

/** Multipliers that are announced before they count. */
export default function MultipliersDialog({ provider, opened, onClose }: Props) {
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={`Price multiplier of ${provider.name}`}
      size="lg"
    >
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          A call is charged by the multiplier at its start; what calls cost in the past never
          changes. Now it is × {provider.priceMultiplier}, which Edit changes at once.
        </Text>
        <PlannedTable provider={provider} />
        <PlanForm provider={provider} onClose={onClose} />
      </Stack>
    </FormDialog>
  );
}

function PlannedTable({ provider }: Pick<Props, "provider">) {
  const update = useUpdateProvider();
  const planned = provider.plannedMultipliers;
  if (planned.length === 0) return <Text size="sm">No change is planned.</Text>;
  const withdraw = (startsAt: string) =>
    update.mutate({
      id: provider.id,
      plannedMultipliers: planned.filter((plan) => plan.startsAt !== startsAt),
      expectedVersion: provider.version,
    });
  return (
    <>
      <Table aria-label="Planned multipliers">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>From</Table.Th>
            <Table.Th className="numeric">Multiplier</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {planned.map((plan) => (
            <Table.Tr key={plan.startsAt}>
              <Table.Td>{formatExact(plan.startsAt)}</Table.Td>
              <Table.Td className="numeric">× {plan.multiplier}</Table.Td>
              <Table.Td className="numeric">
                <Button
                  size="compact-xs"
                  variant="default"
                  loading={update.isPending}
                  aria-label={`Withdraw the multiplier planned for ${formatExact(plan.startsAt)}`}
                  onClick={() => withdraw(plan.startsAt)}
                >
                  Withdraw
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {update.isError ? (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {messageOf(update.error)}
        </Text>
      ) : null}
    </>
  );
}

function PlanForm({ provider, onClose }: Omit<Props, "opened">) {
  const update = useUpdateProvider();
  const form = useForm({
    initialValues: { startsAt: "", multiplier: provider.priceMultiplier },
    validate: {
      startsAt: startProblem,
      multiplier: (text) => z.safeParse(factor, text).error?.issues[0]?.message ?? null,
    },
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    const startsAt = new Date(values.startsAt).toISOString();
    await update.mutateAsync({
      id: provider.id,
      plannedMultipliers: [
        ...provider.plannedMultipliers,
        { startsAt, multiplier: values.multiplier.trim() },
      ],
      expectedVersion: provider.version,
    });
    notifySuccess("Planned. It comes into force by itself.");
    form.reset();
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((sent) => void submit(sent))}
      onCancel={onClose}
      submitLabel="Plan"
      saving={saving}
      problem={problem}
    >
      <TextInput
        type="datetime-local"
        label="In force from"
        description="In your own time zone"
        data-autofocus
        {...form.getInputProps("startsAt")}
      />
      <TextInput
        label="Multiplier"
        description="0.85 charges list prices less 15 %."
        inputMode="decimal"
        {...form.getInputProps("multiplier")}
      />
    </FormBody>
  );
}
