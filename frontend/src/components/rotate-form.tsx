import { NativeSelect, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormBody } from "@/components/form-dialog";
import { useSave } from "@/lib/use-save";

interface Props {
  /** How long the present secret may go on, in hours; a day is chosen at first. */
  overlaps: { value: string; label: string }[];
  /** What stays as it is, and what ends now. */
  note?: string;
  description?: string;
  rotate: (overlapHours: number) => Promise<void>;
  onCancel: () => void;
}

/** Asks how long the present secret works beside the new one, and makes that. */
export function RotateForm({ overlaps, note, description, rotate, onCancel }: Props) {
  const form = useForm({ initialValues: { overlapHours: "24" } });
  const { submit, saving, problem } = useSave(form, ({ overlapHours }) =>
    rotate(Number(overlapHours)),
  );
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      {...{ onCancel, saving, problem }}
      submitLabel="Make new secret"
    >
      {note ? <Text size="sm">{note}</Text> : null}
      <NativeSelect
        label="The present secret works beside the new one for"
        description={description}
        data={overlaps}
        data-autofocus
        {...form.getInputProps("overlapHours")}
      />
    </FormBody>
  );
}
