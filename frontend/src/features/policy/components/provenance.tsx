import { Anchor, Group } from "@mantine/core";
import { RunningOverride } from "@/features/policy/components/running-override";
import { SetBy } from "@/features/policy/components/source";
import { labelOf, type OverrideTarget } from "@/features/policy/override-form";
import type { Override, PolicySource } from "@/features/policy/queries";

interface Props {
  source: PolicySource | null;
  override: Override | null;
  target: OverrideTarget;
  onChange: ((target: OverrideTarget) => void) | undefined;
}

/** Where a value in force comes from: who set it, or what stands in for all that is set for a while. */
export function Provenance({ source, override, target, onChange }: Props) {
  if (override) return <RunningOverride override={override} />;
  return (
    <Group justify="space-between" gap="xs" align="baseline">
      {source === null ? <span /> : <SetBy source={source} />}
      {onChange ? (
        <Anchor
          component="button"
          type="button"
          size="xs"
          onClick={() => onChange(target)}
          aria-label={`Change for a while: ${labelOf(target).toLowerCase()}`}
        >
          Change for a while
        </Anchor>
      ) : null}
    </Group>
  );
}
