import { Group, Text } from "@mantine/core";

export function Brand() {
  return (
    <Group gap={10} wrap="nowrap">
      <img src="/favicon.svg" alt="" width={26} height={26} />
      <Text fw={600} fz="lg" style={{ letterSpacing: "-0.01em" }}>
        Sluicegate
      </Text>
    </Group>
  );
}
