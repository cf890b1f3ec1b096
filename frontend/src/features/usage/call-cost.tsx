import { Popover, Stack, Table, Text, UnstyledButton } from "@mantine/core";
import type { Call } from "@/features/usage/queries";
import { formatMills, formatPrice, formatUsd } from "@/lib/currency";
import { formatExact } from "@/lib/dates";
import { formatCount } from "@/lib/numbers";
import classes from "./usage.module.css";

const names = {
  INPUT: "Input",
  CACHE_READ: "Cache read",
  CACHE_WRITE_5M: "Cache write, 5 minutes",
  CACHE_WRITE_1H: "Cache write, 1 hour",
  OUTPUT: "Output",
} as const;

/** What a call cost; asked, how that comes about. */
export function CallCost({ call }: { call: Call }) {
  const { cost, estimated, charges } = call;
  const text = `${estimated ? "≈ " : ""}${formatMills(cost)}`;
  if (!charges) {
    return (
      <span title={estimated ? "Estimated: the provider reported no usage" : `$${cost}`}>
        {text}
      </span>
    );
  }
  return (
    <Popover withArrow shadow="md" position="left">
      <Popover.Target>
        <UnstyledButton className={classes.cost} aria-label={`How ${text} comes about`}>
          {text}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="How the cost comes about">
        <Stack gap="xs">
          <Text size="sm" fw={600}>
            {formatUsd(cost)}
          </Text>
          {charges.free ? (
            <Text size="sm">Calls cost nothing.</Text>
          ) : (
            <Table verticalSpacing={4} horizontalSpacing="xs">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Class</Table.Th>
                  <Table.Th className="numeric">Tokens</Table.Th>
                  <Table.Th className="numeric">Per million</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {charges.charges.map(({ priceClass, tokens, price }) => (
                  <Table.Tr key={priceClass}>
                    <Table.Td>{names[priceClass]}</Table.Td>
                    <Table.Td className="numeric">{formatCount(tokens)}</Table.Td>
                    <Table.Td className="numeric">{formatPrice(price)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
          <Text size="xs" c="dimmed">
            Prices since {formatExact(charges.since)}
            {charges.longContextAbove === null
              ? "."
              : `, for prompts above ${formatCount(charges.longContextAbove)} tokens.`}
            {estimated ? " Tokens are estimated: the provider reported none." : ""}
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
