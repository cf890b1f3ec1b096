import { SimpleGrid } from "@mantine/core";
import { ConflictNotice } from "@/components/conflict-notice";
import { SectionCard } from "@/components/section-card";
import { CountInput } from "@/components/value-inputs";
import { GroupValues, groupValues } from "@/features/policy/components/group-values";
import { LimitInForce } from "@/features/policy/components/limit-in-force";
import { PolicyForm } from "@/features/policy/components/policy-form";
import { PolicyPreview } from "@/features/policy/components/policy-preview";
import { PolicyColumns, PolicyRow, PolicyRows } from "@/features/policy/components/policy-row";
import { columns, Reach } from "@/features/policy/components/reach";
import { useSetRateLimit } from "@/features/policy/mutations";
import type { EffectiveLimit, EffectivePool, RateLimit } from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";
import { useOverrideDialog } from "@/features/policy/use-override-dialog";
import { useSeededForm } from "@/features/policy/use-seeded-form";
import { dimensions, eachLimit, type LimitField } from "@/features/policy/words";
import { notifySuccess } from "@/lib/notify";
import { countInput, countProblem, formatLimit } from "@/lib/numbers";
import { useSave } from "@/lib/use-save";

interface Props {
  subject: Subject;
  rateLimit: RateLimit;
  /** The version that is on screen. */
  version?: number;
  /** What holds after merging; only users and pools have that. */
  inForce?: (EffectiveLimit | EffectivePool["limits"][number])[];
}

type Values = Record<LimitField, string>;

const pooledTitle = "Pooled rate limit";

const descriptions: Record<Subject["kind"], string> = {
  user: "Per dimension the strictest of the personal value and those of all groups holds. Empty sets no limit, 0 blocks.",
  group:
    "Counts each member's own use; members with a stricter value of their own keep it. Empty sets no limit, 0 blocks.",
  pool: "Counts the use of all members together, beside what each has for their own. Empty sets no limit, 0 blocks.",
};

export function RateLimitCard({ subject, rateLimit, version, inForce }: Props) {
  const setRateLimit = useSetRateLimit(subject);
  const { form, dirty, settle, discard, guarded, ...seeded } = useSeededForm(typed(rateLimit), {
    version,
    validate: eachLimit(() => countProblem),
  });
  const { submit, saving, problem } = useSave(form, async (values: Values) => {
    const input = inputOf(values);
    if (!(await guarded((expected) => setRateLimit.mutateAsync({ input, expected })))) return;
    settle(values);
    notifySuccess("Rate limit saved. It is in force from the next call on.");
  });

  const { onChange, dialog } = useOverrideDialog(subject);
  const fields = dimensions.map(({ dimension, field, label }) => {
    const input = (
      <CountInput
        key={dimension}
        label={label}
        placeholder="No limit"
        zeroMeans="Blocked: no call goes through"
        {...form.getInputProps(field)}
      />
    );
    const limit = inForce?.find((candidate) => candidate.dimension === dimension);
    return limit === undefined ? (
      input
    ) : (
      <PolicyRow
        key={dimension}
        field={input}
        {...("candidates" in limit
          ? {
              groups: (
                <GroupValues
                  label={label}
                  values={groupValues(limit, limit.candidates, ({ value }) => formatLimit(value))}
                />
              ),
            }
          : {})}
        inForce={<LimitInForce limit={limit} onChange={onChange} />}
      />
    );
  });

  return (
    <SectionCard
      title={subject.kind === "pool" ? pooledTitle : "Rate limit"}
      mark={<Reach subject={subject} />}
      description={descriptions[subject.kind]}
    >
      <PolicyForm
        onSubmit={form.onSubmit((values) => void submit(values))}
        onDiscard={discard}
        {...{ dirty, saving, problem }}
        conflict={
          seeded.overtaken ? (
            <ConflictNotice
              message={seeded.overtakenBy}
              mine={form.values}
              theirs={typed(rateLimit)}
              labels={labels}
              onTakeTheirs={discard}
              onKeepMine={seeded.keepMine}
            />
          ) : null
        }
        submitLabel="Save rate limit"
      >
        {inForce ? (
          <PolicyRows>
            <PolicyColumns {...columns[subject.kind]} />
            {fields}
          </PolicyRows>
        ) : (
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md">
            {fields}
          </SimpleGrid>
        )}
        {subject.kind !== "pool" && dirty && isValid(form.values) ? (
          <PolicyPreview subject={subject} values={{ rateLimit: inputOf(form.values) }} />
        ) : null}
      </PolicyForm>
      {dialog}
    </SectionCard>
  );
}

const labels: Partial<Record<keyof Values, string>> = {
  ...Object.fromEntries(dimensions.map(({ field, label }) => [field, label])),
};

const inputOf = (values: Values) => eachLimit((field) => countInput(values[field]));

const isValid = (values: Values): boolean =>
  Object.values(values).every((text) => countProblem(text) === null);

const typed = (rateLimit: RateLimit): Values =>
  eachLimit((field) => rateLimit[field]?.toString() ?? "");
