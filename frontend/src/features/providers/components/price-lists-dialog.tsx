import { Badge, Box, Button, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconCalendarPlus } from "@tabler/icons-react";
import { useState } from "react";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { When } from "@/components/when";
import { PriceCell } from "@/features/providers/components/price-cell";
import { PriceFields } from "@/features/providers/components/price-fields";
import { useSchedulePrices, useWithdrawPrices } from "@/features/providers/mutations";
import { startProblem } from "@/features/providers/planned";
import {
  isPriced,
  type PriceTexts,
  priceClasses,
  priceInputs,
  priceProblems,
  priceTexts,
} from "@/features/providers/prices";
import type { PriceList, Provider, ProviderModel } from "@/features/providers/queries";
import { formatExact } from "@/lib/dates";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  provider: Pick<Provider, "priceMultiplier">;
  model: ProviderModel;
  opened: boolean;
  onClose: () => void;
}

/** What calls to a model cost in the past, now and later, and what is planned. */
export default function PriceListsDialog({ provider, model, opened, onClose }: Props) {
  const [planning, setPlanning] = useState(false);
  return (
    <FormDialog opened={opened} onClose={onClose} title={`Prices of ${model.name}`} size="xl">
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          US dollars per million tokens. A call is charged by the prices at its start; what calls
          cost in the past never changes.
        </Text>
        <ListsTable model={model} />
        {planning ? (
          <PlanForm provider={provider} model={model} onDone={() => setPlanning(false)} />
        ) : (
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
            <Button
              leftSection={<IconCalendarPlus size={16} aria-hidden />}
              onClick={() => setPlanning(true)}
            >
              Plan a change
            </Button>
          </Group>
        )}
      </Stack>
    </FormDialog>
  );
}

const badges: Record<PriceList["status"], { label: string; color: string }> = {
  COMING: { label: "Planned", color: "blue" },
  CURRENT: { label: "In force", color: "green" },
  PAST: { label: "Past", color: "gray" },
};

function ListsTable({ model }: { model: ProviderModel }) {
  if (model.priceLists.length === 0) return <Text size="sm">No price was ever set.</Text>;
  return (
    <Box style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="Price lists">
      <Table aria-label="Price lists" horizontalSpacing="sm" miw={680}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>From</Table.Th>
            {priceClasses.map(({ id, short }) => (
              <Table.Th key={id} className="numeric">
                {short}
              </Table.Th>
            ))}
            <Table.Th aria-label="Status and actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {model.priceLists.map((list) => (
            <Table.Tr key={list.id}>
              <Table.Td>
                <When at={list.startsAt} />
              </Table.Td>
              {priceClasses.map(({ id }) => (
                <Table.Td key={id} className="numeric">
                  <PriceCell model={list} of={id} />
                </Table.Td>
              ))}
              <Table.Td className="numeric">
                <Group gap="xs" justify="flex-end" wrap="nowrap">
                  {list.derived ? <Text size="xs">× {list.multiplier}</Text> : null}
                  <Badge color={badges[list.status].color}>{badges[list.status].label}</Badge>
                  {list.status === "COMING" && !list.derived ? <Withdraw list={list} /> : null}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

function Withdraw({ list }: { list: PriceList }) {
  const withdraw = useWithdrawPrices();
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        loading={withdraw.isPending}
        aria-label={`Withdraw the prices planned for ${formatExact(list.startsAt)}`}
        onClick={() => withdraw.mutate(list.id)}
      >
        Withdraw
      </Button>
      {withdraw.isError ? (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {messageOf(withdraw.error)}
        </Text>
      ) : null}
    </>
  );
}

interface Values extends PriceTexts, Record<string, unknown> {
  startsAt: string;
  free: boolean;
  own: boolean;
}

interface PlanProps extends Pick<Props, "provider" | "model"> {
  onDone: () => void;
}

function PlanForm({ provider, model, onDone }: PlanProps) {
  const schedule = useSchedulePrices();
  const form = useForm<Values>({
    initialValues: { ...priceTexts(model.prices), free: model.free, own: model.own, startsAt: "" },
    validate: {
      ...priceProblems,
      startsAt: startProblem,
    },
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    await schedule.mutateAsync({
      providerModelId: model.id,
      startsAt: new Date(values.startsAt).toISOString(),
      prices: priceInputs(values),
      free: values.free,
      own: values.own,
      expectedVersion: model.version,
    });
    notifySuccess("Planned. These prices come into force by themselves.");
    onDone();
  });
  const { values } = form;
  return (
    <FormBody
      onSubmit={form.onSubmit((sent) => void submit(sent))}
      onCancel={onDone}
      submitLabel="Plan"
      saving={saving}
      problem={problem}
      disabled={!values.free && !isPriced(values, model.kind)}
    >
      <TextInput
        type="datetime-local"
        label="In force from"
        description="In your own time zone"
        data-autofocus
        {...form.getInputProps("startsAt")}
      />
      <PriceFields kind={model.kind} form={form} multiplier={provider.priceMultiplier} />
    </FormBody>
  );
}
