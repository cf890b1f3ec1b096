import { Button, Popover, Stack, Table, Text } from "@mantine/core";
import { SourceName } from "@/features/policy/components/source";
import type { PolicySource } from "@/features/policy/queries";

export interface CandidateValue {
  source: PolicySource;
  /** As people read it: "30", "Blocked", "$20.00". */
  text: string;
}

interface Props {
  /** Strictest first; the first one is in force. */
  candidates: CandidateValue[];
}

/** The values that lost against the strictest one, in a list that opens on demand. */
export function Candidates({ candidates }: Props) {
  if (candidates.length < 2) return null;
  return (
    <Popover position="bottom-start" shadow="md" withinPortal trapFocus>
      <Popover.Target>
        <Button variant="transparent" size="compact-xs" p={0} h="auto" fw={400}>
          All {candidates.length} values
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Stack gap={6}>
          <Text size="xs" c="dimmed">
            The strictest is in force.
          </Text>
          <Table verticalSpacing={4} horizontalSpacing={0} withRowBorders={false} fz="sm">
            <Table.Tbody>
              {candidates.map(({ source, text }, rank) => (
                <Table.Tr key={`${source.kind}:${source.id}`} {...(rank === 0 ? { fw: 600 } : {})}>
                  <Table.Td pr="lg">
                    <SourceName source={source} />
                  </Table.Td>
                  <Table.Td className="numeric">{text}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
