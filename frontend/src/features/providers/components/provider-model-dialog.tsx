import { SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { CountInput } from "@/components/value-inputs";
import { ModelKindInput } from "@/features/models/components/model-kind";
import { PriceFields } from "@/features/providers/components/price-fields";
import { useCreateProviderModel, useUpdateProviderModel } from "@/features/providers/mutations";
import {
  type PriceTexts,
  priceClasses,
  priceInputs,
  priceProblems,
  priceTexts,
  type TierTexts,
  tiersText,
} from "@/features/providers/prices";
import type { Provider, ProviderModel } from "@/features/providers/queries";
import { notifySuccess } from "@/lib/notify";
import { countInput, countProblem } from "@/lib/numbers";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Props {
  provider: Pick<Provider, "id" | "name" | "priceMultiplier">;
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
  own: boolean;
  contextWindow: string;
  maxOutputTokens: string;
  /** Words between commas. */
  capabilities: string;
}

function ProviderModelForm({ provider, model, onClose }: Omit<Props, "opened">) {
  const create = useCreateProviderModel();
  const update = useUpdateProviderModel();
  const form = useForm<Values>({
    initialValues: valuesOf(model),
    validate: {
      name: (text) =>
        text.trim() === "" ? `Give the name that ${provider.name} knows it by` : null,
      ...priceProblems,
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
        own: values.own,
        contextWindow: countInput(values.contextWindow),
        maxOutputTokens: countInput(values.maxOutputTokens),
        capabilities: wordsOf(values.capabilities),
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
      <PriceFields kind={form.values.kind} form={form} multiplier={provider.priceMultiplier} />
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
      <TextInput
        label="Capabilities"
        description="Words between commas, which members see beside the model"
        placeholder="tools, vision, reasoning"
        {...form.getInputProps("capabilities")}
      />
      {conflict ? (
        <ConflictNotice
          {...conflict}
          mine={form.values}
          labels={labels}
          show={(field, value) => {
            if (field === "free" || field === "own") return value ? "yes" : "no";
            if (field === "longContext") return tiersText(value as TierTexts[]);
            return String(value) || "unknown";
          }}
        />
      ) : null}
    </FormBody>
  );
}

const labels: Partial<Record<keyof Values, string>> = {
  free: "Calls cost nothing",
  own: "Own prices",
  ...Object.fromEntries(priceClasses.map(({ id, label }) => [id, label])),
  longContext: "Prices for long prompts",
  contextWindow: "Context window",
  maxOutputTokens: "Longest answer",
  capabilities: "Capabilities",
};

function valuesOf(model: ProviderModel | null): Values {
  return {
    ...priceTexts(model?.prices),
    name: model?.name ?? "",
    kind: model?.kind ?? "CHAT",
    free: model?.free ?? false,
    own: model?.own ?? false,
    contextWindow: model?.contextWindow?.toString() ?? "",
    maxOutputTokens: model?.maxOutputTokens?.toString() ?? "",
    capabilities: model?.capabilities.join(", ") ?? "",
  };
}

const wordsOf = (text: string): string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

const tokensProblem = (text: string): string | null =>
  /^0+$/.test(text.trim()) ? "Leave it empty when it is not known" : countProblem(text);
