import { Alert } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormBody, FormDialog } from "@/components/form-dialog";
import {
  type ModelValues,
  SlugAndName,
  StatusInput,
} from "@/features/models/components/model-fields";
import { useUpdateModel } from "@/features/models/mutations";
import type { Model } from "@/features/models/queries";
import { slugProblem } from "@/features/models/slug";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  model: Model;
  opened: boolean;
  onClose: () => void;
}

export function EditModelDialog({ model, opened, onClose }: Props) {
  return (
    <FormDialog opened={opened} onClose={onClose} title="Edit model">
      <EditModelForm model={model} onClose={onClose} />
    </FormDialog>
  );
}

function EditModelForm({ model, onClose }: Omit<Props, "opened">) {
  const update = useUpdateModel();
  const form = useForm<ModelValues>({
    initialValues: { slug: model.slug, displayName: model.displayName, status: model.status },
    validate: {
      slug: slugProblem,
      status: (status) =>
        status === "ACTIVE" && model.backends.length === 0
          ? "An active model needs a backend; add one first"
          : null,
    },
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    const displayName = values.displayName.trim();
    await update.mutateAsync({ id: model.id, ...values, displayName });
    notifySuccess(`${values.slug} saved.`);
    onClose();
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Save"
      saving={saving}
      problem={problem}
    >
      <SlugAndName form={form} />
      {form.values.slug === model.slug || model.status !== "ACTIVE" ? null : (
        <Alert color="yellow" role="status">
          Callers that still send {model.slug} get “model not found” from the next call on. Grants
          go along with the new slug.
        </Alert>
      )}
      <StatusInput form={form} />
    </FormBody>
  );
}
