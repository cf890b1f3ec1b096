import { Badge, Card, Group, Table, Text } from "@mantine/core";
import { CopyButton } from "@/components/copy-button";
import type { AvailableModel } from "@/features/own-models/queries";
import { formatPrice } from "@/lib/currency";
import { formatCompact, formatCount } from "@/lib/numbers";

const kinds: Record<AvailableModel["kind"], string> = { CHAT: "Chat", EMBEDDING: "Embedding" };

const priceColumns = [
  { field: "input", label: "Input", always: true },
  { field: "cacheRead", label: "Cache read", always: false },
  { field: "cacheWrite5m", label: "Cache write, 5 min", always: false },
  { field: "cacheWrite1h", label: "Cache write, 1 h", always: false },
  { field: "output", label: "Output", always: true },
] as const;

export function ModelsTable({ models }: { models: AvailableModel[] }) {
  return (
    <Card padding={0} style={{ overflowX: "auto" }}>
      <Table className="flush-table" aria-label="Models that you may call" verticalSpacing={9}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Model</Table.Th>
            <Table.Th scope="col" visibleFrom="md">
              Kind and provider
            </Table.Th>
            <Table.Th scope="col" className="numeric" visibleFrom="sm">
              Context
            </Table.Th>
            <Table.Th scope="col" className="numeric" visibleFrom="sm">
              Max output
            </Table.Th>
            {priceColumns.map(({ field, label, always }) => (
              <Table.Th
                key={field}
                scope="col"
                className="numeric"
                {...(always ? {} : { visibleFrom: "lg" })}
              >
                {label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.map((model) => (
            <ModelRow key={model.slug} model={model} />
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function ModelRow({ model }: { model: AvailableModel }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          <Text span inherit fw={500} className="mono" style={{ overflowWrap: "anywhere" }}>
            {model.slug}
          </Text>
          <CopyButton value={model.slug} what={model.slug} compact />
        </Group>
        <Text size="xs" c="dimmed">
          {model.displayName}
        </Text>
        {model.capabilities.length === 0 ? null : (
          <Text size="xs" c="dimmed">
            {model.capabilities.join(" · ")}
          </Text>
        )}
        <Text size="xs" c="dimmed" hiddenFrom="md">
          {kinds[model.kind]} · {model.provider}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="md">
        {kinds[model.kind]}
        <Text size="xs" c="dimmed">
          {model.provider}
        </Text>
      </Table.Td>
      <Tokens count={model.contextWindow} />
      <Tokens count={model.maxOutputTokens} />
      {model.free ? (
        <>
          <Table.Td className="numeric">
            <Badge color="green">Free</Badge>
          </Table.Td>
          {priceColumns.slice(1).map(({ field, always }) => (
            <Table.Td key={field} {...(always ? {} : { visibleFrom: "lg" })} />
          ))}
        </>
      ) : (
        priceColumns.map(({ field, always }) => (
          <Price
            key={field}
            price={model.prices[field]}
            otherwise={always ? null : model.prices.input}
            tiers={model.prices.longContext.map((tier) => ({
              above: tier.above,
              price: tier[field] ?? (always ? null : tier.input),
            }))}
            always={always}
          />
        ))
      )}
    </Table.Tr>
  );
}

function Tokens({ count }: { count: number | null }) {
  return (
    <Table.Td className="numeric" visibleFrom="sm">
      {count === null ? (
        <Text span inherit c="dimmed" title="Not known">
          –
        </Text>
      ) : (
        <span title={`${formatCount(count)} tokens`}>{formatCompact(count)}</span>
      )}
    </Table.Td>
  );
}

interface PriceProps {
  tiers: { above: number; price: string | null }[];
  price: string | null;
  /** What applies where there is no price of its own. */
  otherwise: string | null;
  always: boolean;
}

function Price({ price, otherwise, always, tiers }: PriceProps) {
  return (
    <Table.Td className="numeric" {...(always ? {} : { visibleFrom: "lg" })}>
      {price === null && otherwise !== null ? (
        <Text span inherit c="dimmed" title="Priced as fresh input">
          {formatPrice(otherwise)}
        </Text>
      ) : (
        formatPrice(price)
      )}
      {tiers.map((tier) => (
        <Text
          key={tier.above}
          size="xs"
          c="dimmed"
          title={`Price of calls whose prompt has more than ${formatCount(tier.above)} tokens`}
        >
          &gt; {formatCompact(tier.above)}: {formatPrice(tier.price)}
        </Text>
      ))}
    </Table.Td>
  );
}
