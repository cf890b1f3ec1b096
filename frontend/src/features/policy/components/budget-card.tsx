import { SimpleGrid, TextInput } from "@mantine/core";
import { ConflictNotice } from "@/components/conflict-notice";
import { SectionCard } from "@/components/section-card";
import { MoneyInput } from "@/components/value-inputs";
import { BudgetInForce } from "@/features/policy/components/budget-in-force";
import { GroupValues, groupValues } from "@/features/policy/components/group-values";
import { PolicyForm } from "@/features/policy/components/policy-form";
import { PolicyPreview } from "@/features/policy/components/policy-preview";
import { PolicyColumns, PolicyRow, PolicyRows } from "@/features/policy/components/policy-row";
import { columns, Reach } from "@/features/policy/components/reach";
import { useSetBudget } from "@/features/policy/mutations";
import type { Budget, EffectiveBudget, EffectivePool } from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";
import { thresholdsInput, thresholdsProblem } from "@/features/policy/thresholds";
import { useOverrideDialog } from "@/features/policy/use-override-dialog";
import { useSeededForm } from "@/features/policy/use-seeded-form";
import { type CapField, eachCap, windows } from "@/features/policy/words";
import { formatCap, usdInput, usdProblem } from "@/lib/currency";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  subject: Subject;
  budget: Budget;
  /** The version that is on screen. */
  version?: number;
  /** What holds after merging; only users and pools have that. */
  inForce?: (EffectiveBudget | EffectivePool["budgets"][number])[];
}

type Values = Record<CapField | "alertThresholds", string>;

const pooledTitle = "Pooled budget";

const descriptions: Record<Subject["kind"], string> = {
  user: "Per window the strictest of the personal cap and those of all groups holds. Empty sets no cap, 0 blocks.",
  group:
    "Counts each member's own spending; members with a stricter cap of their own keep it. Empty sets no cap, 0 blocks.",
  pool: "Counts the spending of all members together, beside what each has for their own. Empty sets no cap, 0 blocks.",
};

export function BudgetCard({ subject, budget, version, inForce }: Props) {
  const setBudget = useSetBudget(subject);
  const { form, dirty, settle, discard, guarded, ...seeded } = useSeededForm(typed(budget), {
    version,
    validate: { ...eachCap(() => usdProblem), alertThresholds: thresholdsProblem },
  });
  const { submit, saving, problem } = useSave(form, async (values: Values) => {
    const input = inputOf(values);
    if (!(await guarded((expected) => setBudget.mutateAsync({ input, expected })))) return;
    settle(values);
    notifySuccess("Budget saved. It is in force from the next call on.");
  });

  const { onChange, dialog } = useOverrideDialog(subject);
  const fields = windows.map(({ window, field, label }) => {
    const input = (
      <MoneyInput
        key={window}
        label={label}
        placeholder="No limit"
        zeroMeans="Blocked: no call that costs money goes through"
        {...form.getInputProps(field)}
      />
    );
    const cap = inForce?.find((candidate) => candidate.window === window);
    return cap === undefined ? (
      input
    ) : (
      <PolicyRow
        key={window}
        field={input}
        {...("candidates" in cap
          ? {
              groups: (
                <GroupValues
                  label={label}
                  values={groupValues(cap, cap.candidates, (one) => formatCap(one.cap))}
                />
              ),
            }
          : {})}
        inForce={<BudgetInForce budget={cap} onChange={onChange} />}
      />
    );
  });

  return (
    <SectionCard
      title={subject.kind === "pool" ? pooledTitle : "Budget"}
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
              theirs={typed(budget)}
              labels={labels}
              onTakeTheirs={discard}
              onKeepMine={seeded.keepMine}
            />
          ) : null
        }
        submitLabel="Save budget"
      >
        {inForce ? (
          <PolicyRows>
            <PolicyColumns {...columns[subject.kind]} />
            {fields}
          </PolicyRows>
        ) : (
          <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
            {fields}
          </SimpleGrid>
        )}
        <TextInput
          label="Alert thresholds"
          description="Per cent of each cap above at which an alert is due, with commas between; empty sends none"
          inputWrapperOrder={["label", "input", "description", "error"]}
          rightSection="%"
          inputMode="text"
          autoComplete="off"
          maw={320}
          {...form.getInputProps("alertThresholds")}
        />
        {subject.kind !== "pool" && dirty && isValid(form.values) ? (
          <PolicyPreview subject={subject} values={{ budget: inputOf(form.values) }} />
        ) : null}
      </PolicyForm>
      {dialog}
    </SectionCard>
  );
}

const labels: Partial<Record<keyof Values, string>> = {
  ...Object.fromEntries(windows.map(({ field, label }) => [field, label])),
  alertThresholds: "Alert thresholds",
};

const inputOf = (values: Values) => ({
  ...eachCap((field) => usdInput(values[field])),
  alertThresholds: thresholdsInput(values.alertThresholds),
});

const isValid = ({ alertThresholds, ...caps }: Values): boolean =>
  thresholdsProblem(alertThresholds) === null &&
  Object.values(caps).every((text) => usdProblem(text) === null);

const typed = (budget: Budget): Values => ({
  ...eachCap((field) => budget[field] ?? ""),
  alertThresholds: budget.alertThresholds.join(", "),
});
