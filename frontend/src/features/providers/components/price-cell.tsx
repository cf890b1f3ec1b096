import { Text } from "@mantine/core";
import { chargedFor, type PriceClass } from "@/features/providers/prices";
import type { ProviderModel } from "@/features/providers/queries";
import { formatPrice } from "@/lib/currency";

interface Props {
  model: Pick<ProviderModel, "prices" | "free">;
  of: PriceClass;
}

export function PriceCell({ model, of }: Props) {
  if (model.free)
    return (
      <Text span inherit c="dimmed">
        Free
      </Text>
    );
  const { price, asInput } = chargedFor(model.prices, of);
  if (!asInput) return <>{formatPrice(price)}</>;
  return (
    <Text span inherit c="dimmed" title="No price of its own: charged as input">
      {formatPrice(price)}
    </Text>
  );
}
