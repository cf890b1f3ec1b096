import { Anchor, Code, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { Figure } from "@/features/policy/components/figure";
import { SourceName } from "@/features/policy/components/source";
import type { EffectivePolicy, Override, PolicySource } from "@/features/policy/queries";
import { dimensions, windows } from "@/features/policy/words";
import { formatCap } from "@/lib/currency";
import { formatLimit, plural } from "@/lib/numbers";
import classes from "./effective-policy-card.module.css";

interface Props {
  policy: EffectivePolicy;
}

const modelsAtFirst = 8;

/** Everything that holds, at a glance, as the gateway goes by it. */
export function EffectivePolicyCard({ policy }: Props) {
  return (
    <SectionCard title="Effective policy" description="What the gateway goes by after merging.">
      <Stack gap="md">
        <dl className={classes.figures}>
          {policy.limits.map(({ dimension, limit, source, override }) => (
            <InForce
              key={dimension}
              label={dimensions.find((one) => one.dimension === dimension)?.label ?? dimension}
              text={formatLimit(limit)}
              source={source}
              override={override}
            />
          ))}
          {policy.budgets.map(({ window, cap, source, override }) => (
            <InForce
              key={window}
              label={windows.find((one) => one.window === window)?.label ?? window}
              text={formatCap(cap)}
              source={source}
              override={override}
            />
          ))}
        </dl>
        <Models models={policy.models} />
      </Stack>
    </SectionCard>
  );
}

interface InForceProps {
  label: string;
  text: string;
  source: PolicySource | null;
  override: Override | null;
}

function InForce({ label, text, source, override }: InForceProps) {
  return (
    <div>
      <Text size="xs" c="dimmed" component="dt">
        {label}
      </Text>
      <dd>
        <Figure text={text} />
        {source === null && override === null ? null : (
          <Text size="xs" c="dimmed" component="div" style={{ overflowWrap: "anywhere" }}>
            {override ? (
              <>
                Temporary, ends <When at={override.endsAt} />
              </>
            ) : source ? (
              <SourceName source={source} />
            ) : null}
          </Text>
        )}
      </dd>
    </div>
  );
}

function Models({ models }: Pick<EffectivePolicy, "models">) {
  const [all, setAll] = useState(false);
  if (models.length === 0) {
    return (
      <Text size="sm" c="var(--mantine-color-error)">
        No model is granted: every call is refused.
      </Text>
    );
  }
  const shown = all ? models : models.slice(0, modelsAtFirst);
  return (
    <Stack gap={6}>
      <Text size="sm">{plural(models.length, "model")} may be called</Text>
      <Group gap={6}>
        {shown.map(({ model, sources }) => (
          <Code key={model.id} title={`Granted: ${sources.map(nameOf).join(", ")}`}>
            {model.slug}
          </Code>
        ))}
        {models.length <= modelsAtFirst ? null : (
          <Anchor component="button" type="button" size="xs" onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show all ${models.length}`}
          </Anchor>
        )}
      </Group>
    </Stack>
  );
}

const nameOf = (source: PolicySource): string =>
  source.kind === "USER" ? "personally" : `via ${source.name}`;
