import { Alert, Button, Checkbox, Fieldset, SimpleGrid, Stack, Text } from "@mantine/core";
import type { GetInputPropsReturnType } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";
import { CountInput, MoneyInput } from "@/components/value-inputs";
import {
  emptyTier,
  isPriced,
  type PriceTexts,
  priceClasses,
  type TierTexts,
} from "@/features/providers/prices";
import type { ProviderModel } from "@/features/providers/queries";

/** What a form that holds prices among other things offers for them. */
interface PriceForm {
  values: PriceTexts & { free: boolean; own: boolean };
  getInputProps: (
    path: string,
    options?: { type: "input" | "checkbox" },
  ) => GetInputPropsReturnType;
  insertListItem: (path: "longContext", item: TierTexts) => void;
  removeListItem: (path: "longContext", index: number) => void;
}

interface Props {
  kind: ProviderModel["kind"];
  form: PriceForm;
  /** The provider's, like "0.85". */
  multiplier: string;
}

const mostTiers = 5;

export function PriceFields({ kind, form, multiplier }: Props) {
  const { values } = form;
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
      {values.free ? null : (
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
          {isPriced(values, kind) ? null : (
            <Alert color="yellow" mt="sm" role="status">
              {kind === "CHAT"
                ? "Without prices for input and output this model is not served."
                : "Without a price for input this model is not served."}
            </Alert>
          )}
          <Tiers shown={shown} form={form} />
          {multiplier === "1" && !values.own ? null : (
            <Checkbox
              mt="sm"
              label="Own prices"
              description={`Charged as they are. List prices are charged times ${multiplier}, the provider's multiplier.`}
              {...form.getInputProps("own", { type: "checkbox" })}
            />
          )}
        </>
      )}
    </Fieldset>
  );
}

function Tiers({ shown, form }: { shown: typeof priceClasses; form: PriceForm }) {
  const tiers = form.values.longContext;
  return (
    <Stack gap="sm" mt="sm">
      {tiers.map((_tier, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: tiers have nothing else that tells them apart
        <Fieldset key={index} legend="Calls with long prompts">
          <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
            <CountInput
              label="Above so many tokens"
              {...form.getInputProps(`longContext.${index}.above`)}
            />
            {shown.map(({ id, label }) => (
              <MoneyInput
                key={id}
                label={label}
                {...form.getInputProps(`longContext.${index}.${id}`)}
              />
            ))}
          </SimpleGrid>
          <Button
            size="compact-xs"
            variant="default"
            mt="sm"
            onClick={() => form.removeListItem("longContext", index)}
          >
            Remove
          </Button>
        </Fieldset>
      ))}
      {tiers.length < mostTiers ? (
        <Button
          size="xs"
          variant="default"
          w="fit-content"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => form.insertListItem("longContext", emptyTier)}
        >
          Add prices for long prompts
        </Button>
      ) : null}
    </Stack>
  );
}
