import { Divider, Stack, Text, Title } from "@mantine/core";
import { SectionCard } from "@/components/section-card";
import { BudgetInForce } from "@/features/policy/components/budget-in-force";
import { LimitInForce } from "@/features/policy/components/limit-in-force";
import { SourceName } from "@/features/policy/components/source";
import type { EffectivePool } from "@/features/policy/queries";
import { dimensions, windows } from "@/features/policy/words";

interface Props {
  pools: EffectivePool[];
}

/** What a user shares with the other members of groups; there is nothing to show for most. */
export function PoolsCard({ pools }: Props) {
  if (pools.length === 0) return null;
  return (
    <SectionCard
      title="Shared pools"
      description="All members of these groups draw from the same amount; a call must fit into it, too."
    >
      <Stack gap="lg">
        {pools.map((pool, position) => (
          <Stack key={pool.source.id} gap="md">
            {position === 0 ? null : <Divider />}
            <Title order={3}>
              <SourceName source={pool.source} />
            </Title>
            <Lines pool={pool} />
          </Stack>
        ))}
      </Stack>
    </SectionCard>
  );
}

function Lines({ pool: { budgets, limits } }: { pool: EffectivePool }) {
  return (
    <>
      {budgets
        .filter(({ cap }) => cap !== null)
        .map((budget) => (
          <Stack key={budget.window} gap={6}>
            <Text size="sm">{windows.find((one) => one.window === budget.window)?.label}</Text>
            <BudgetInForce budget={budget} />
          </Stack>
        ))}
      {limits
        .filter(({ limit }) => limit !== null)
        .map((limit) => (
          <Stack key={limit.dimension} gap={6}>
            <Text size="sm">
              {dimensions.find((one) => one.dimension === limit.dimension)?.label}
            </Text>
            <LimitInForce limit={limit} />
          </Stack>
        ))}
    </>
  );
}
