import { Code, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";

export interface Fact {
  label: string;
  value: ReactNode;
  /** The variables that set it. */
  setBy?: string[];
}

interface Props {
  label: string;
  facts: Fact[];
}

/** What is so, and what has to be set to change it. */
export function Facts({ label, facts }: Props) {
  return (
    <Table className="flush-table" aria-label={label} verticalSpacing={8}>
      <Table.Tbody>
        {facts.map((fact) => (
          <Table.Tr key={fact.label}>
            <Table.Th scope="row" fw={400} c="dimmed" w="38%">
              {fact.label}
            </Table.Th>
            <Table.Td style={{ overflowWrap: "anywhere" }}>
              {fact.value}
              {fact.setBy?.map((name) => (
                <Text key={name} size="xs" c="dimmed" component="div">
                  Set by <Code>{name}</Code>
                </Text>
              ))}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
