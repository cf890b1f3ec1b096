import { Checkbox, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormBody } from "@/components/form-dialog";
import type { Webhook } from "@/features/alerts/queries";
import type { SourceKind } from "@/gql/graphql";
import { useSave } from "@/lib/use-save";

export const subjectLabels: Record<SourceKind, string> = {
  USER: "People",
  POOL: "Pools",
  KEY: "API keys",
  GROUP: "Groups",
};

const subjects: { value: SourceKind; description: string }[] = [
  { value: "USER", description: "Caps of their own, and those that a group sets for each member." },
  { value: "POOL", description: "What the members of a group draw from together." },
  { value: "KEY", description: "Keys that have a budget of their own." },
];

export interface WebhookValues {
  name: string;
  url: string;
  subjects: SourceKind[];
  enabled: boolean;
}

interface Props {
  webhook?: Webhook;
  submitLabel: string;
  onCancel: () => void;
  onSave: (values: WebhookValues) => Promise<void>;
}

export function WebhookForm({ webhook, submitLabel, onCancel, onSave }: Props) {
  const form = useForm<WebhookValues & Record<string, unknown>>({
    initialValues: {
      name: webhook?.name ?? "",
      url: webhook?.url ?? "",
      subjects: webhook?.subjects ?? ["USER", "POOL", "KEY"],
      enabled: webhook?.enabled ?? true,
    },
    validate: {
      name: (name) => (name.trim() === "" ? "Give it a name" : null),
      url: (url) => (/^https?:\/\/./.test(url.trim()) ? null : "Enter an address with https://"),
      subjects: (chosen) => (chosen.length === 0 ? "Choose at least one" : null),
    },
  });
  const { submit, saving, problem } = useSave(form, ({ name, url, subjects: chosen, enabled }) =>
    onSave({ name, url, subjects: chosen, enabled }),
  );
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onCancel}
      submitLabel={submitLabel}
      saving={saving}
      problem={problem}
    >
      <TextInput label="Name" data-autofocus autoComplete="off" {...form.getInputProps("name")} />
      <TextInput
        label="Address"
        description="Alerts are posted here as JSON."
        placeholder="https://hooks.example.com/budgets"
        autoComplete="off"
        {...form.getInputProps("url")}
      />
      <Checkbox.Group label="Alerts about" {...form.getInputProps("subjects")}>
        <Stack gap="xs" mt="xs">
          {subjects.map(({ value, description }) => (
            <Checkbox
              key={value}
              value={value}
              label={subjectLabels[value]}
              description={description}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      <Switch label="On" {...form.getInputProps("enabled", { type: "checkbox" })} />
    </FormBody>
  );
}
