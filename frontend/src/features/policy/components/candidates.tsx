import { Anchor, Popover, Stack, Table, Text } from "@mantine/core";
import { SourceName } from "@/features/policy/components/source";
import type { PolicySource } from "@/features/policy/queries";
import { plural } from "@/lib/numbers";

export interface CandidateValue {
  source: PolicySource;
  /** As people read it: "30", "Blocked", "$20.00". */
  text: string;
}

interface Props {
  /** Strictest first. */
  candidates: CandidateValue[];
  /** A temporary value stands in for all of them. */
  outranked: boolean;
}

/** All values that compete, in a list that opens on demand; a single one is told beside the value already. */
export function Candidates({ candidates, outranked }: Props) {
  if (candidates.length < (outranked ? 1 : 2)) return null;
  return (
    <Popover position="bottom-start" shadow="md" withinPortal trapFocus>
      <Popover.Target>
        <Anchor component="button" type="button" size="xs">
          {outranked
            ? plural(candidates.length, "lasting value")
            : `All ${candidates.length} values`}
        </Anchor>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Stack gap={6}>
          <Text size="xs" c="dimmed">
            {outranked
              ? "The strictest is in force again when the temporary value ends."
              : "The strictest is in force."}
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
