import { Input } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useNavigate } from "@tanstack/react-router";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { backendsProblem, type Draft, inputsOf } from "@/features/models/backends";
import { BackendsEditor } from "@/features/models/components/backends-editor";
import {
  type ModelValues,
  SlugAndName,
  StatusInput,
} from "@/features/models/components/model-fields";
import { ModelKindInput } from "@/features/models/components/model-kind";
import { useCreateModel } from "@/features/models/mutations";
import { slugProblem } from "@/features/models/slug";
import type { ModelKind } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  opened: boolean;
  onClose: () => void;
}

interface Values extends ModelValues {
  kind: ModelKind;
  backends: Draft[];
}

export function AddModelDialog({ opened, onClose }: Props) {
  return (
    <FormDialog opened={opened} onClose={onClose} title="Add model" size="lg">
      <AddModelForm onClose={onClose} />
    </FormDialog>
  );
}

function AddModelForm({ onClose }: Pick<Props, "onClose">) {
  const navigate = useNavigate();
  const create = useCreateModel();
  const form = useForm<Values>({
    initialValues: { slug: "", displayName: "", kind: "CHAT", status: "ACTIVE", backends: [] },
    validate: {
      slug: slugProblem,
      backends: (drafts, { status }) => backendsProblem(drafts, status),
    },
  });

  const { submit, saving, problem } = useSave(form, async (values) => {
    const model = await create.mutateAsync({
      slug: values.slug,
      displayName: values.displayName.trim(),
      kind: values.kind,
      status: values.status,
      backends: inputsOf(values.backends),
    });
    notifySuccess(`${model.slug} added. Now grant it to users or groups.`);
    onClose();
    await navigate({ to: "/admin/models/$modelId", params: { modelId: model.id } });
  });

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Add model"
      saving={saving}
      problem={problem}
    >
      <SlugAndName form={form} />
      <ModelKindInput
        value={form.values.kind}
        onChange={(kind) => {
          // A chat model can't stand behind an embedding model, nor the other way round.
          form.setValues({ kind, backends: [] });
        }}
      />
      <Input.Wrapper label="Backends" labelElement="div">
        <BackendsEditor
          kind={form.values.kind}
          value={form.values.backends}
          onChange={(drafts) => form.setFieldValue("backends", drafts)}
          error={form.errors.backends}
        />
      </Input.Wrapper>
      <StatusInput form={form} />
    </FormBody>
  );
}
