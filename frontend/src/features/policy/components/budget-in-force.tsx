import { Badge, Group, Text } from "@mantine/core";
import { When } from "@/components/when";
import { Candidates } from "@/features/policy/components/candidates";
import { Meter } from "@/features/policy/components/meter";
import { SetBy } from "@/features/policy/components/source";
import type { EffectiveBudget } from "@/features/policy/queries";
import { windows } from "@/features/policy/words";
import { formatCap, formatUsd, parseUsd, percentOf } from "@/lib/currency";

interface Props {
  budget: EffectiveBudget;
}

/** A cap after merging: what is spent and held of it, when it starts anew, and who set it. */
export function BudgetInForce({ budget }: Props) {
  const { cap, spent, reserved, source, candidates } = budget;
  const words = windows.find((known) => known.window === budget.window);
  const held = parseUsd(reserved) ?? 0n;
  const limit = cap === null ? null : parseUsd(cap);
  return (
    <>
      <Group justify="space-between" gap="xs" align="baseline">
        <Text size="sm" component="span" style={{ fontVariantNumeric: "tabular-nums" }}>
          <b>{formatUsd(spent)}</b>{" "}
          {cap === null || limit === 0n ? `spent ${words?.span ?? ""}` : `of ${formatUsd(cap)}`}
        </Text>
        {limit === 0n ? (
          <Badge color="red">Blocked</Badge>
        ) : (
          <Text size="xs" c="dimmed" component="span">
            {cap === null ? (
              "No limit"
            ) : (
              <>
                Resets <When at={budget.resetsAt} />
              </>
            )}
          </Text>
        )}
      </Group>
      {cap === null || limit === null || limit === 0n ? null : (
        <Meter
          label="Spent and reserved"
          text={`${formatUsd(spent)} spent and ${formatUsd(reserved)} reserved, of ${formatUsd(cap)} ${words?.span ?? ""}`}
          used={percentOf(parseUsd(spent) ?? 0n, limit)}
          held={percentOf(held, limit)}
        />
      )}
      <Group justify="space-between" gap="xs" align="baseline">
        <Text size="xs" c="dimmed" component="span">
          {source === null ? null : <SetBy source={source} />}
          {held === 0n ? null : (
            <>
              {source === null ? "" : " · "}
              {formatUsd(reserved)} reserved
            </>
          )}
        </Text>
        <Candidates
          candidates={candidates.map((one) => ({ source: one.source, text: formatCap(one.cap) }))}
        />
      </Group>
    </>
  );
}
