import { Group, Text } from "@mantine/core";
import { Candidates } from "@/features/policy/components/candidates";
import { Figure } from "@/features/policy/components/figure";
import { Meter } from "@/features/policy/components/meter";
import { SetBy } from "@/features/policy/components/source";
import type { EffectiveLimit } from "@/features/policy/queries";
import { dimensions } from "@/features/policy/words";
import { formatCount, formatLimit } from "@/lib/numbers";

interface Props {
  limit: EffectiveLimit;
}

/** A limit after merging: the figure, how much of it is in use, and who set it. */
export function LimitInForce({ limit: { dimension, limit, used, source, candidates } }: Props) {
  const words = dimensions.find((known) => known.dimension === dimension);
  const label = words?.label ?? dimension;
  const inUse = `${formatCount(used)} ${words?.unit ?? "in use"}`;
  return (
    <>
      <Group justify="space-between" gap="xs" align="baseline">
        <Figure text={formatLimit(limit)} />
        <Text size="xs" c="dimmed" className="nowrap">
          {inUse}
        </Text>
      </Group>
      {limit === null || limit === 0 ? null : (
        <Meter
          label="In use now"
          text={`${inUse}, of ${formatCount(limit)} ${label.toLowerCase()}`}
          used={(used / limit) * 100}
        />
      )}
      {source === null ? null : (
        <Group justify="space-between" gap="xs" align="baseline">
          <SetBy source={source} />
          <Candidates
            candidates={candidates.map((one) => ({
              source: one.source,
              text: formatLimit(one.value),
            }))}
          />
        </Group>
      )}
    </>
  );
}
