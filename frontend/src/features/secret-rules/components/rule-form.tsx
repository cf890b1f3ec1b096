import {
  Anchor,
  Checkbox,
  Divider,
  Radio,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody } from "@/components/form-dialog";
import { Trial } from "@/features/secret-rules/components/trial";
import { type SecretRule, useCreateRule, useUpdateRule } from "@/features/secret-rules/queries";
import { actionChoices, actions } from "@/features/secret-rules/words";
import type { SecretAction, SecretCheck } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";
import { useSave } from "@/lib/use-save";

interface Values extends Record<string, unknown> {
  name: string;
  description: string;
  pattern: string;
  action: SecretAction;
  check: SecretCheck;
  enabled: boolean;
}

const blank: Values = {
  name: "",
  description: "",
  pattern: "",
  action: "REDACT",
  check: "NONE",
  enabled: true,
};

const syntax = "https://github.com/google/re2/wiki/Syntax";

export function CreateRuleForm({ onDone }: { onDone: () => void }) {
  const create = useCreateRule();
  const form = useRuleForm(blank);
  const { submit, saving, problem } = useSave(form, async (values) => {
    await create.mutateAsync(values);
    notifySuccess(`${values.name.trim()} is ${values.enabled ? "in force" : "kept, but off"}.`);
    onDone();
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Create rule"
      {...{ saving, problem }}
    >
      <RuleFields form={form} />
    </FormBody>
  );
}

const labels = {
  name: "Name",
  description: "Description",
  pattern: "Pattern",
  action: "Action",
  check: "Check digit",
  enabled: "On",
};

export function EditRuleForm({ rule, onDone }: { rule: SecretRule; onDone: () => void }) {
  const update = useUpdateRule();
  const present = valuesOf(rule);
  const form = useRuleForm(present);
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: rule.version,
    values: present,
    refresh: keys.secretRuleList,
    save: async (values, expectedVersion) => {
      await update.mutateAsync({ id: rule.id, ...values, expectedVersion });
      notifySuccess(`${values.name.trim()} saved. It holds from the next call on.`);
      onDone();
    },
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Save"
      disabled={conflict !== null}
      {...{ saving, problem }}
    >
      <RuleFields form={form} />
      {conflict ? (
        <ConflictNotice {...conflict} mine={form.values} labels={labels} show={shown} />
      ) : null}
    </FormBody>
  );
}

const valuesOf = ({ name, description, pattern, action, check, enabled }: SecretRule): Values => ({
  name,
  description,
  pattern,
  action,
  check,
  enabled,
});

function shown(field: keyof Values, value: unknown): string {
  if (field === "action") return actions[value as SecretAction].label;
  if (field === "check") return value === "LUHN" ? "must be right" : "not looked at";
  if (field === "enabled") return value ? "yes" : "no";
  return value === "" ? "nothing" : String(value);
}

const useRuleForm = (initialValues: Values) =>
  useForm<Values>({
    initialValues,
    validate: {
      name: (name) => (name.trim() === "" ? "Give the rule a name" : null),
      pattern: (pattern) => (pattern === "" ? "Enter what to look for" : null),
    },
  });

function RuleFields({ form }: { form: UseFormReturnType<Values> }) {
  const { name, pattern, action, check } = form.values;
  return (
    <>
      <TextInput
        label="Name"
        description="Callers read it in refusals and in the place of what is redacted"
        data-autofocus
        autoComplete="off"
        maxLength={120}
        {...form.getInputProps("name")}
      />
      <Textarea
        label="Pattern"
        description={
          <>
            A regular expression in{" "}
            <Anchor inherit href={syntax} target="_blank" rel="noreferrer" underline="always">
              RE2's syntax
            </Anchor>
            . If it has a group, only what is in the group is the secret.
          </>
        }
        placeholder="acme_live_[A-Za-z0-9]{32}"
        autosize
        minRows={1}
        maxRows={8}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        classNames={{ input: "mono" }}
        {...form.getInputProps("pattern")}
        // What is pasted often ends in a line break, which would then have to be in every secret.
        onChange={(event) =>
          form.setFieldValue("pattern", event.currentTarget.value.replace(/[\r\n]+$/, ""))
        }
      />
      <Radio.Group label="Action" {...form.getInputProps("action")}>
        <Stack gap="xs" mt="xs">
          {actionChoices.map((choice) => (
            <Radio key={choice.value} {...choice} />
          ))}
        </Stack>
      </Radio.Group>
      <Checkbox
        label="Only numbers whose check digit is right"
        description="The Luhn check digit, which payment cards have"
        checked={check === "LUHN"}
        onChange={(event) =>
          form.setFieldValue("check", event.currentTarget.checked ? "LUHN" : "NONE")
        }
      />
      <Textarea
        label="Description"
        placeholder="Optional"
        autosize
        minRows={1}
        maxRows={6}
        {...form.getInputProps("description")}
      />
      <Switch label="On" {...form.getInputProps("enabled", { type: "checkbox" })} />
      <Divider />
      <Trial
        draft={{ name: name.trim() || "this rule", pattern, action, check }}
        description="Optional: try the rule as it stands above. The text is kept nowhere."
      />
    </>
  );
}
