import { Text } from "@mantine/core";
import { chargedFor, type PriceClass } from "@/features/providers/prices";
import type { ProviderModel } from "@/features/providers/queries";
import { formatPrice } from "@/lib/currency";
import { formatCompact, formatCount } from "@/lib/numbers";

interface Props {
  model: Pick<ProviderModel, "prices" | "charged" | "free">;
  of: PriceClass;
}

export function PriceCell({ model, of }: Props) {
  if (model.free)
    return (
      <Text span inherit c="dimmed">
        Free
      </Text>
    );
  return (
    <>
      <Price {...chargedFor(model.charged, of)} list={chargedFor(model.prices, of).price} />
      {model.charged.longContext.map((tier) => (
        <Text key={tier.above} size="xs" c="dimmed" title={aboveWords(tier.above)}>
          &gt; {formatCompact(tier.above)}: {formatPrice(chargedFor(tier, of).price)}
        </Text>
      ))}
    </>
  );
}

const aboveWords = (tokens: number): string =>
  `Price of calls whose prompt has more than ${formatCount(tokens)} tokens`;

function Price({ price, asInput, list }: ReturnType<typeof chargedFor> & { list: string | null }) {
  const hints = [
    asInput ? "No price of its own: charged as input" : null,
    price === list ? null : `List price ${formatPrice(list)}, times the provider's multiplier`,
  ].filter((hint) => hint !== null);
  if (hints.length === 0) return <>{formatPrice(price)}</>;
  return (
    <Text span inherit {...(asInput ? { c: "dimmed" } : {})} title={hints.join(". ")}>
      {formatPrice(price)}
    </Text>
  );
}
