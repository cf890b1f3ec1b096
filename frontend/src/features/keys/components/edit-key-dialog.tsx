import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { KeyFields } from "@/features/keys/components/key-fields";
import {
  type EditableKey,
  type KeyValues,
  narrowingInput,
  useKeyForm,
  valuesOf,
} from "@/features/keys/key-form";
import { useUpdateKey } from "@/features/keys/mutations";
import { dimensions, windows } from "@/features/policy/words";
import { formatDay } from "@/lib/dates";
import { expiryInstant } from "@/lib/expiry";
import { notifySuccess } from "@/lib/notify";
import { useEdit } from "@/lib/use-edit";

interface Props {
  apiKey: EditableKey;
  ownerId: string;
  /** Where the key is read from. */
  refresh: readonly unknown[];
  opened: boolean;
  onClose: () => void;
}

export default function EditKeyDialog({ opened, onClose, ...rest }: Props) {
  return (
    <FormDialog opened={opened} onClose={onClose} title="Edit API key" size="lg">
      <EditForm {...rest} onClose={onClose} />
    </FormDialog>
  );
}

const labels: Partial<Record<keyof KeyValues, string>> = {
  name: "Name",
  allModels: "All models",
  modelIds: "Models",
  ...Object.fromEntries([...dimensions, ...windows].map(({ field, label }) => [field, label])),
};

function EditForm({ apiKey, ownerId, refresh, onClose }: Omit<Props, "opened">) {
  const update = useUpdateKey();
  const form = useKeyForm(valuesOf(apiKey));
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: apiKey.version,
    values: valuesOf(apiKey),
    refresh,
    save: async (values, expectedVersion) => {
      await update.mutateAsync({
        id: apiKey.id,
        expectedVersion,
        name: values.name.trim(),
        ...(values.expiresAt.choice === "keep"
          ? {}
          : { expiresAt: expiryInstant(values.expiresAt) }),
        ...narrowingInput(values, apiKey.budget.alertThresholds),
      });
      notifySuccess("Key saved. It is in force from the next call on.");
      onClose();
    },
  });
  const slugs = new Map(apiKey.models?.map(({ id, slug }) => [id, slug]));
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Save"
      disabled={conflict !== null}
      {...{ saving, problem }}
    >
      <KeyFields
        form={form}
        ownerId={ownerId}
        named={apiKey.models ?? []}
        keepExpiry={
          apiKey.expiresAt ? `As it is: ${formatDay(apiKey.expiresAt)}` : "As it is: never"
        }
      />
      {conflict ? (
        <ConflictNotice
          {...conflict}
          mine={form.values}
          labels={labels}
          show={(field, value) =>
            field === "modelIds"
              ? named(value as string[], slugs)
              : typeof value === "boolean"
                ? value
                  ? "yes"
                  : "no"
                : String(value) || "none"
          }
        />
      ) : null}
    </FormBody>
  );
}

const named = (ids: string[], slugs: Map<string, string>): string =>
  ids.length === 0 ? "none" : ids.map((id) => slugs.get(id) ?? "another").join(", ");
