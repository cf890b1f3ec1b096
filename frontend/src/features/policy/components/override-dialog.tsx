import { Checkbox, NativeSelect, SimpleGrid, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { CountInput, MoneyInput } from "@/components/value-inputs";
import { useCreateOverride } from "@/features/policy/mutations";
import {
  endProblem,
  labelOf,
  type OverrideTarget,
  type OverrideValues,
  overrideInput,
  presentOf,
  spans,
  valueProblem,
} from "@/features/policy/override-form";
import type { Subject } from "@/features/policy/subject";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  subject: Subject;
  target: OverrideTarget;
  opened: boolean;
  onClose: () => void;
}

/** Gives one limit or cap another value for a while, with a reason that everybody who meets it will read. */
export default function OverrideDialog({ subject, target, opened, onClose }: Props) {
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={`Change ${labelOf(target).toLowerCase()} for a while`}
    >
      <OverrideForm subject={subject} target={target} onDone={onClose} />
    </FormDialog>
  );
}

interface FormProps {
  subject: Subject;
  target: OverrideTarget;
  onDone: () => void;
}

function OverrideForm({ subject, target, onDone }: FormProps) {
  const create = useCreateOverride();
  const form = useForm<OverrideValues>({
    initialValues: { value: "", unlimited: false, reason: "", span: "24", endsAt: "" },
    validate: (values) => ({
      value: valueProblem(target, values),
      reason: values.reason.trim() === "" ? "Say why; it is shown wherever the value is" : null,
      endsAt: endProblem(values, Date.now()),
    }),
  });
  const { submit, saving, problem } = useSave(form, async (values: OverrideValues) => {
    await create.mutateAsync(overrideInput(subject.id, target, values, Date.now()));
    notifySuccess("In force from the next call on. It ends by itself.");
    onDone();
  });
  const ValueInput = target.kind === "limit" ? CountInput : MoneyInput;
  const { unlimited, span } = form.values;

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Put in force"
      saving={saving}
      problem={problem}
    >
      <Text size="sm">
        In force for {subject.name} now: <b>{presentOf(target)}</b>. Whatever groups set, the value
        below takes its place until it ends by itself.
      </Text>
      <ValueInput
        label={labelOf(target)}
        disabled={unlimited}
        zeroMeans="Blocked: no call goes through"
        data-autofocus
        {...form.getInputProps("value")}
      />
      <Checkbox label="No limit" {...form.getInputProps("unlimited", { type: "checkbox" })} />
      <SimpleGrid cols={{ base: 1, xs: span === "until" ? 2 : 1 }} spacing="sm">
        <NativeSelect label="How long" data={spans} {...form.getInputProps("span")} />
        {span === "until" ? (
          <TextInput type="datetime-local" label="Ends" {...form.getInputProps("endsAt")} />
        ) : null}
      </SimpleGrid>
      <Textarea
        label="Reason"
        placeholder="Release week"
        autosize
        minRows={2}
        maxRows={4}
        {...form.getInputProps("reason")}
      />
    </FormBody>
  );
}
