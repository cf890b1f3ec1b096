import { Anchor, Code, Group, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { Figure } from "@/features/policy/components/figure";
import { SourceName } from "@/features/policy/components/source";
import type { EffectivePolicy, Override, PolicySource } from "@/features/policy/queries";
import { dimensions, windows } from "@/features/policy/words";
import { formatCap } from "@/lib/currency";
import { formatLimit, plural } from "@/lib/numbers";

interface Props {
  policy: EffectivePolicy;
}

const modelsAtFirst = 8;

/** Everything that holds, at a glance, as the gateway goes by it. */
export function EffectivePolicyCard({ policy }: Props) {
  return (
    <SectionCard title="Effective policy" description="What the gateway goes by after merging.">
      <Stack gap="md">
        <Models models={policy.models} />
        <Table
          withRowBorders={false}
          verticalSpacing={4}
          horizontalSpacing={0}
          fz="sm"
          aria-label="Limits and caps in force"
        >
          <Table.Tbody>
            {policy.limits.map(({ dimension, limit, source, override }) => (
              <Line
                key={dimension}
                label={dimensions.find((one) => one.dimension === dimension)?.label ?? dimension}
                text={formatLimit(limit)}
                source={source}
                override={override}
              />
            ))}
            {policy.budgets.map(({ window, cap, source, override }) => (
              <Line
                key={window}
                label={windows.find((one) => one.window === window)?.label ?? window}
                text={formatCap(cap)}
                source={source}
                override={override}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </SectionCard>
  );
}

interface LineProps {
  label: string;
  text: string;
  source: PolicySource | null;
  override: Override | null;
}

function Line({ label, text, source, override }: LineProps) {
  return (
    <Table.Tr>
      <Table.Th fw={400} scope="row">
        {label}
        {source === null && override === null ? null : (
          <Text size="xs" c="dimmed" component="div">
            {override ? (
              <>
                Temporary, ends <When at={override.endsAt} />
              </>
            ) : source ? (
              <SourceName source={source} />
            ) : null}
          </Text>
        )}
      </Table.Th>
      <Table.Td className="numeric" valign="top">
        <Figure text={text} />
      </Table.Td>
    </Table.Tr>
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
