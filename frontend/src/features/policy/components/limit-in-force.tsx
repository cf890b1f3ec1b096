import { Group, Text } from "@mantine/core";
import { Figure } from "@/features/policy/components/figure";
import { Meter } from "@/features/policy/components/meter";
import { Provenance } from "@/features/policy/components/provenance";
import type { OverrideTarget } from "@/features/policy/override-form";
import type { EffectiveLimit, EffectivePool } from "@/features/policy/queries";
import { dimensions } from "@/features/policy/words";
import { formatCount, formatLimit } from "@/lib/numbers";

interface Props {
  /** A pool's limit holds by itself; a user's is what came of merging. */
  limit: EffectivePool["limits"][number] | EffectiveLimit;
  /** Asks for another value for a while, where that is possible. */
  onChange?: ((target: OverrideTarget) => void) | undefined;
}

/** A limit in force: the figure, how much of it is in use, and where it comes from. */
export function LimitInForce({ limit, onChange }: Props) {
  const most = limit.limit;
  const words = dimensions.find(({ dimension }) => dimension === limit.dimension);
  const inUse = `${formatCount(limit.used)} ${words?.unit ?? "in use"}`;
  return (
    <>
      <Group justify="space-between" gap="xs" align="baseline">
        <Figure text={formatLimit(most)} />
        <Text size="xs" c="dimmed" className="nowrap">
          {inUse}
        </Text>
      </Group>
      {most === null || most === 0 ? null : (
        <Meter
          label="In use now"
          text={`${inUse}, of ${formatCount(most)} ${words?.label.toLowerCase() ?? ""}`}
          used={(limit.used / most) * 100}
        />
      )}
      {"candidates" in limit ? (
        <Provenance
          source={limit.source}
          override={limit.override}
          target={{ kind: "limit", dimension: limit.dimension, present: most }}
          onChange={onChange}
        />
      ) : null}
    </>
  );
}
