import { Card, Group, Skeleton, Stack } from "@mantine/core";

interface RowsProps {
  rows?: number;
}

/** Lines in the place of a list or a form, so that nothing jumps when the data comes. */
export function LinesSkeleton({ rows = 4 }: RowsProps) {
  return (
    <Stack gap="md" p="lg" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move
        <Group key={row} justify="space-between" wrap="nowrap">
          <Skeleton height={12} width={`${38 - (row % 3) * 6}%`} />
          <Skeleton height={12} width="16%" />
        </Group>
      ))}
    </Stack>
  );
}

export function CardSkeleton({ rows = 4 }: RowsProps) {
  return (
    <Card padding={0}>
      <LinesSkeleton rows={rows} />
    </Card>
  );
}

export function PageSkeleton() {
  return (
    <Stack gap="lg">
      <Stack gap={8}>
        <Skeleton height={26} width={200} />
        <Skeleton height={12} width={320} maw="80%" />
      </Stack>
      <CardSkeleton rows={6} />
    </Stack>
  );
}
