import { Alert } from "@mantine/core";
import { useForm } from "@mantine/form";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody, FormDialog } from "@/components/form-dialog";
import {
  type ModelValues,
  SlugAndName,
  StatusInput,
} from "@/features/models/components/model-fields";
import { statusChoices } from "@/features/models/components/model-status";
import { useUpdateModel } from "@/features/models/mutations";
import type { Model } from "@/features/models/queries";
import { slugProblem } from "@/features/models/slug";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

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
    initialValues: valuesOf(model),
    validate: {
      slug: slugProblem,
      status: (status) =>
        status === "ACTIVE" && model.backends.length === 0
          ? "An active model needs a backend; add one first"
          : null,
    },
  });
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: model.version,
    values: valuesOf(model),
    refresh: keys.model(model.id),
    save: async (values, expectedVersion) => {
      const displayName = values.displayName.trim();
      await update.mutateAsync({ id: model.id, ...values, displayName, expectedVersion });
      notifySuccess(`${values.slug} saved.`);
      onClose();
    },
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Save"
      saving={saving}
      problem={problem}
      disabled={conflict !== null}
    >
      <SlugAndName form={form} />
      {form.values.slug === model.slug || model.status !== "ACTIVE" ? null : (
        <Alert color="yellow" role="status">
          Callers that still send {model.slug} get “model not found” from the next call on. Grants
          go along with the new slug.
        </Alert>
      )}
      <StatusInput form={form} />
      {conflict ? (
        <ConflictNotice
          {...conflict}
          mine={form.values}
          labels={{ slug: "Slug", displayName: "Display name", status: "Status" }}
          show={(field, value) =>
            statusChoices.find((choice) => field === "status" && choice.value === value)?.label ??
            (String(value) || "nothing")
          }
        />
      ) : null}
    </FormBody>
  );
}

const valuesOf = ({ slug, displayName, status }: Model): ModelValues => ({
  slug,
  displayName,
  status,
});
