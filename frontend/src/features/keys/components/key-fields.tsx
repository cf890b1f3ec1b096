import {
  Anchor,
  Fieldset,
  MultiSelect,
  Radio,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ExpiryField } from "@/components/expiry-field";
import { CountInput, MoneyInput } from "@/components/value-inputs";
import { isNarrowed, type KeyValues } from "@/features/keys/key-form";
import { callableModelsQuery } from "@/features/keys/queries";
import { dimensions, windows } from "@/features/policy/words";

interface Props {
  form: UseFormReturnType<KeyValues>;
  ownerId: string;
  /** Models that the key names already, which its owner may have lost since. */
  named?: { id: string; slug: string }[];
  /** How an unchanged end reads, where there is one to keep. */
  keepExpiry?: string;
}

export function KeyFields({ form, ownerId, named = [], keepExpiry }: Props) {
  const [narrowing, setNarrowing] = useState(() => isNarrowed(form.values));
  return (
    <>
      <TextInput
        label="Name"
        description="Optional. Where it will be used, such as “Laptop” or “CI”."
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <ExpiryField
        value={form.values.expiresAt}
        onChange={(expiry) => form.setFieldValue("expiresAt", expiry)}
        error={form.errors.expiresAt ? String(form.errors.expiresAt) : null}
        {...(keepExpiry === undefined ? {} : { keep: keepExpiry })}
      />
      {narrowing ? (
        <Narrowing form={form} ownerId={ownerId} named={named} />
      ) : (
        <Text size="sm" c="dimmed">
          It may do whatever its owner may.{" "}
          <Anchor component="button" type="button" inherit onClick={() => setNarrowing(true)}>
            Narrow it to some models, limits or a budget
          </Anchor>
        </Text>
      )}
    </>
  );
}

function Narrowing({ form, ownerId, named }: Required<Pick<Props, "form" | "ownerId" | "named">>) {
  const callable = useQuery(callableModelsQuery(ownerId));
  const models = new Map([...named, ...(callable.data ?? [])].map(({ id, slug }) => [id, slug]));
  return (
    <Stack gap="md">
      <Radio.Group
        label="Models"
        value={form.values.allModels ? "all" : "some"}
        onChange={(value) => form.setFieldValue("allModels", value === "all")}
      >
        <Stack gap="xs" mt={6}>
          <Radio value="all" label="All that its owner may call, also those granted later" />
          <Radio value="some" label="Only some of them" />
        </Stack>
      </Radio.Group>
      {form.values.allModels ? null : (
        <MultiSelect
          aria-label="Models that this key may call"
          placeholder={form.values.modelIds.length === 0 ? "Choose models" : ""}
          data={[...models].map(([value, label]) => ({ value, label }))}
          searchable
          nothingFoundMessage={callable.isPending ? "Looking…" : "No such model"}
          {...form.getInputProps("modelIds")}
        />
      )}
      <Fieldset legend="Limits and caps of its own" variant="unstyled">
        <Text size="xs" c="dimmed" mb="xs">
          They hold beside those of its owner. Empty sets none, 0 blocks.
        </Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          {dimensions.map(({ field, label }) => (
            <CountInput
              key={field}
              label={label}
              placeholder="No limit"
              {...form.getInputProps(field)}
            />
          ))}
          {windows.map(({ field, label }) => (
            <MoneyInput
              key={field}
              label={label}
              placeholder="No limit"
              {...form.getInputProps(field)}
            />
          ))}
        </SimpleGrid>
      </Fieldset>
    </Stack>
  );
}
