import { useForm } from "@mantine/form";
import { FormBody } from "@/components/form-dialog";
import { SectionCard } from "@/components/section-card";
import { backendsProblem, type Draft, draftOf, inputsOf } from "@/features/models/backends";
import { BackendsEditor } from "@/features/models/components/backends-editor";
import { useUpdateModel } from "@/features/models/mutations";
import type { Model } from "@/features/models/queries";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

export function BackendsCard({ model }: { model: Model }) {
  // Backends that changed at the server start the form anew.
  const version = JSON.stringify(model.backends);
  return (
    <SectionCard title="Backends" description="Who answers when this model is called.">
      <BackendsForm key={version} model={model} />
    </SectionCard>
  );
}

function BackendsForm({ model }: { model: Model }) {
  const update = useUpdateModel();
  const form = useForm<{ backends: Draft[] }>({
    initialValues: { backends: model.backends.map(draftOf) },
    validate: { backends: (drafts) => backendsProblem(drafts, model.status) },
  });
  const { submit, saving, problem } = useSave<{ backends: Draft[] }>(form, async ({ backends }) => {
    await update.mutateAsync({ id: model.id, backends: inputsOf(backends) });
    notifySuccess("Calls are routed this way from the next one on.");
  });
  const dirty = form.isDirty();
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      {...(dirty ? { onCancel: form.reset } : {})}
      submitLabel="Save backends"
      saving={saving}
      problem={problem}
      disabled={!dirty}
    >
      <BackendsEditor
        kind={model.kind}
        value={form.values.backends}
        onChange={(drafts) => form.setFieldValue("backends", drafts)}
        error={form.errors.backends}
      />
    </FormBody>
  );
}
