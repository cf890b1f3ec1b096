import { Badge, Group, Text } from "@mantine/core";
import { When } from "@/components/when";
import { Forecast } from "@/features/policy/components/forecast";
import { Meter } from "@/features/policy/components/meter";
import { Provenance } from "@/features/policy/components/provenance";
import type { OverrideTarget } from "@/features/policy/override-form";
import type { EffectiveBudget, EffectivePool } from "@/features/policy/queries";
import { windows } from "@/features/policy/words";
import { formatUsd, parseUsd, percentOf } from "@/lib/currency";

interface Props {
  /** A pool's cap holds by itself; a user's is what came of merging. */
  budget: EffectivePool["budgets"][number] | EffectiveBudget;
  /** Asks for another value for a while, where that is possible. */
  onChange?: ((target: OverrideTarget) => void) | undefined;
}

/** A cap in force: what is spent and held of it, when it starts anew, and where it comes from. */
export function BudgetInForce({ budget, onChange }: Props) {
  const { cap, spent, reserved, resetsAt, reachedAt, alertThresholds } = budget;
  const span = windows.find(({ window }) => window === budget.window)?.span ?? "";
  const held = parseUsd(reserved) ?? 0n;
  const limit = cap === null ? null : parseUsd(cap);
  return (
    <>
      <Group justify="space-between" gap="xs" align="baseline">
        <Text size="sm" component="span" style={{ fontVariantNumeric: "tabular-nums" }}>
          <b>{formatUsd(spent)}</b>{" "}
          {cap === null || limit === 0n ? `spent ${span}` : `of ${formatUsd(cap)}`}
          {held === 0n ? null : (
            <Text size="xs" c="dimmed" component="span">
              , {formatUsd(reserved)} reserved
            </Text>
          )}
        </Text>
        {limit === 0n ? (
          <Badge color="red">Blocked</Badge>
        ) : (
          <Text size="xs" c="dimmed" component="span">
            {cap === null ? (
              "No limit"
            ) : (
              <>
                Resets <When at={resetsAt} />
              </>
            )}
          </Text>
        )}
      </Group>
      {cap === null || limit === null || limit === 0n ? null : (
        <>
          <Meter
            label="Spent and reserved"
            text={`${formatUsd(spent)} spent and ${formatUsd(reserved)} reserved, of ${formatUsd(cap)} ${span}`}
            used={percentOf(parseUsd(spent) ?? 0n, limit)}
            held={percentOf(held, limit)}
            alertsAt={alertThresholds}
          />
          <Forecast spent={spent} cap={cap} reachedAt={reachedAt ?? null} />
        </>
      )}
      {"candidates" in budget ? (
        <Provenance
          source={budget.source}
          override={budget.override}
          target={{ kind: "cap", window: budget.window, present: cap }}
          onChange={onChange}
        />
      ) : null}
    </>
  );
}
