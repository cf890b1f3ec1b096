import { Alert, Checkbox, Fieldset, SimpleGrid, Text } from "@mantine/core";
import type { GetInputPropsReturnType } from "@mantine/form";
import { MoneyInput } from "@/components/value-inputs";
import {
  isPriced,
  type PriceClass,
  type PriceTexts,
  priceClasses,
} from "@/features/providers/prices";
import type { ProviderModel } from "@/features/providers/queries";

interface Props {
  kind: ProviderModel["kind"];
  values: PriceTexts & { free: boolean };
  /** A form's own props for each field. */
  propsOf: (name: PriceClass | "free", type: "input" | "checkbox") => GetInputPropsReturnType;
}

export function PriceFields({ kind, values, propsOf }: Props) {
  const shown = priceClasses.filter(({ id }) => kind === "CHAT" || id === "input");
  return (
    <Fieldset
      legend="Prices per million tokens"
      styles={{ legend: { fontWeight: 600, fontSize: "var(--mantine-font-size-sm)" } }}
    >
      <Checkbox label="Calls cost nothing" mb="sm" {...propsOf("free", "checkbox")} />
      {values.free ? null : (
        <>
          <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
            {shown.map(({ id, label }) => (
              <MoneyInput key={id} label={label} {...propsOf(id, "input")} />
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
        </>
      )}
    </Fieldset>
  );
}
