import { useForm } from "@mantine/form";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody } from "@/components/form-dialog";
import { SectionCard } from "@/components/section-card";
import {
  backendsProblem,
  type Draft,
  draftOf,
  inputsOf,
  wordsOf,
} from "@/features/models/backends";
import { BackendsEditor } from "@/features/models/components/backends-editor";
import { useUpdateModel } from "@/features/models/mutations";
import type { Model } from "@/features/models/queries";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Values extends Record<string, unknown> {
  backends: Draft[];
}

export function BackendsCard({ model }: { model: Model }) {
  const update = useUpdateModel();
  const values = { backends: model.backends.map(draftOf) };
  const form = useForm<Values>({
    initialValues: values,
    validate: { backends: (drafts) => backendsProblem(drafts, model.status) },
  });
  const { submit, saving, problem, conflict } = useEdit<Values>(form, {
    version: model.version,
    values,
    refresh: keys.model(model.id),
    save: async ({ backends }, expectedVersion) => {
      await update.mutateAsync({ id: model.id, backends: inputsOf(backends), expectedVersion });
      // What was typed is the server's now, so the form goes on following it.
      form.resetDirty({ backends });
      notifySuccess("Calls are routed this way from the next one on.");
    },
  });
  const dirty = form.isDirty();
  return (
    <SectionCard title="Backends" description="Who answers when this model is called.">
      <FormBody
        onSubmit={form.onSubmit((typed) => void submit(typed))}
        {...(dirty ? { onCancel: form.reset } : {})}
        submitLabel="Save backends"
        saving={saving}
        problem={problem}
        disabled={!dirty || conflict !== null}
        unsaved={dirty}
      >
        <BackendsEditor
          kind={model.kind}
          value={form.values.backends}
          onChange={(drafts) => form.setFieldValue("backends", drafts)}
          error={form.errors.backends}
        />
        {conflict ? (
          <ConflictNotice
            {...conflict}
            mine={form.values}
            labels={{ backends: "Backends" }}
            show={(_field, drafts) => wordsOf(drafts as Draft[])}
          />
        ) : null}
      </FormBody>
    </SectionCard>
  );
}
