import { Alert, Checkbox, Fieldset, SimpleGrid, Text, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { useState } from "react";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { CountInput, MoneyInput } from "@/components/value-inputs";
import { ModelKindInput } from "@/features/models/components/model-kind";
import { useCreateProviderModel, useUpdateProviderModel } from "@/features/providers/mutations";
import { isPriced, type PriceTexts, priceClasses, priceInputs } from "@/features/providers/prices";
import type { Provider, ProviderModel } from "@/features/providers/queries";
import { usdProblem } from "@/lib/currency";
import { notifySuccess } from "@/lib/notify";
import { countInput, countProblem } from "@/lib/numbers";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Props {
  provider: Pick<Provider, "id" | "name">;
  /** Null to add one. */
  model: ProviderModel | null;
  opened: boolean;
  onClose: () => void;
}

export function ProviderModelDialog({ provider, model, opened, onClose }: Props) {
  // The title stays while the dialog fades away.
  const [last, setLast] = useState(model);
  if (opened && model !== last) setLast(model);
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={last ? `Edit ${last.name}` : `Add a model of ${provider.name}`}
      size="lg"
    >
      <ProviderModelForm provider={provider} model={last} onClose={onClose} />
    </FormDialog>
  );
}

interface Values extends PriceTexts, Record<string, unknown> {
  name: string;
  kind: ProviderModel["kind"];
  free: boolean;
  contextWindow: string;
  maxOutputTokens: string;
}

function ProviderModelForm({ provider, model, onClose }: Omit<Props, "opened">) {
  const create = useCreateProviderModel();
  const update = useUpdateProviderModel();
  const form = useForm<Values>({
    initialValues: valuesOf(model),
    validate: {
      name: (text) =>
        text.trim() === "" ? `Give the name that ${provider.name} knows it by` : null,
      ...Object.fromEntries(
        priceClasses.map(({ id }) => [
          id,
          (text: string, { free }: Values) => (free ? null : usdProblem(text)),
        ]),
      ),
      contextWindow: tokensProblem,
      maxOutputTokens: tokensProblem,
    },
  });

  const { submit, saving, problem, conflict } = useEdit(form, {
    version: model?.version ?? 0,
    values: valuesOf(model),
    refresh: keys.provider(provider.id),
    save: async (values, expectedVersion) => {
      const facts = {
        prices: priceInputs(values),
        free: values.free,
        contextWindow: countInput(values.contextWindow),
        maxOutputTokens: countInput(values.maxOutputTokens),
      };
      const name = values.name.trim();
      if (model) await update.mutateAsync({ id: model.id, ...facts, expectedVersion });
      else await create.mutateAsync({ providerId: provider.id, name, kind: values.kind, ...facts });
      notifySuccess(model ? `${name} saved.` : `${name} added.`);
      onClose();
    },
  });

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel={model ? "Save" : "Add model"}
      saving={saving}
      problem={problem}
      disabled={conflict !== null}
    >
      {model ? null : (
        <>
          <TextInput
            label="Name"
            description={`Exactly as ${provider.name} spells it.`}
            placeholder="gpt-5-mini"
            maxLength={200}
            required
            data-autofocus
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            {...form.getInputProps("name")}
          />
          <ModelKindInput {...form.getInputProps("kind")} />
        </>
      )}
      <PriceFields form={form} />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <CountInput
          label="Context window"
          description="Tokens, input and output together"
          {...form.getInputProps("contextWindow")}
        />
        <CountInput
          label="Longest answer"
          description="Output tokens"
          {...form.getInputProps("maxOutputTokens")}
        />
      </SimpleGrid>
      {conflict ? (
        <ConflictNotice
          {...conflict}
          mine={form.values}
          labels={labels}
          show={(field, value) =>
            field === "free" ? (value ? "yes" : "no") : String(value) || "unknown"
          }
        />
      ) : null}
    </FormBody>
  );
}

function PriceFields({ form }: { form: UseFormReturnType<Values> }) {
  const { free, kind } = form.values;
  const shown = priceClasses.filter(({ id }) => kind === "CHAT" || id === "input");
  return (
    <Fieldset
      legend="Prices per million tokens"
      styles={{ legend: { fontWeight: 600, fontSize: "var(--mantine-font-size-sm)" } }}
    >
      <Checkbox
        label="Calls cost nothing"
        mb="sm"
        {...form.getInputProps("free", { type: "checkbox" })}
      />
      {free ? null : (
        <>
          <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
            {shown.map(({ id, label }) => (
              <MoneyInput key={id} label={label} {...form.getInputProps(id)} />
            ))}
          </SimpleGrid>
          {kind === "CHAT" ? (
            <Text size="xs" c="dimmed" mt="xs">
              A cache class that is left empty is charged as input.
            </Text>
          ) : null}
          {isPriced(form.values, kind) ? null : (
            <Alert color="yellow" mt="sm" role="status">
              {kind === "CHAT"
                ? "Without prices for input and output this model is not served."
                : "Without a price for input this model is not served."}
            </Alert>
          )}
        </>
      )}
    </Fieldset>
  );
}

const labels: Partial<Record<keyof Values, string>> = {
  free: "Calls cost nothing",
  ...Object.fromEntries(priceClasses.map(({ id, label }) => [id, label])),
  contextWindow: "Context window",
  maxOutputTokens: "Longest answer",
};

function valuesOf(model: ProviderModel | null): Values {
  const prices = model?.prices;
  return {
    name: model?.name ?? "",
    kind: model?.kind ?? "CHAT",
    free: model?.free ?? false,
    input: prices?.input ?? "",
    cacheRead: prices?.cacheRead ?? "",
    cacheWrite5m: prices?.cacheWrite5m ?? "",
    cacheWrite1h: prices?.cacheWrite1h ?? "",
    output: prices?.output ?? "",
    contextWindow: model?.contextWindow?.toString() ?? "",
    maxOutputTokens: model?.maxOutputTokens?.toString() ?? "",
  };
}

const tokensProblem = (text: string): string | null =>
  /^0+$/.test(text.trim()) ? "Leave it empty when it is not known" : countProblem(text);
