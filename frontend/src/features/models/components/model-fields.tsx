import { Input, SegmentedControl, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { statusChoices } from "@/features/models/components/model-status";
import type { ModelStatus } from "@/gql/graphql";

export interface ModelValues extends Record<string, unknown> {
  slug: string;
  displayName: string;
  status: ModelStatus;
}

interface Props<T extends ModelValues> {
  form: UseFormReturnType<T>;
  slugHint?: string;
}

export function SlugAndName<T extends ModelValues>({ form, slugHint }: Props<T>) {
  return (
    <>
      <TextInput
        label="Slug"
        description={
          slugHint ?? "What callers send as the model: lowercase letters, digits, hyphens, dots."
        }
        placeholder="claude-sonnet-4.5"
        maxLength={100}
        required
        autoCapitalize="none"
        spellCheck={false}
        data-autofocus
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        {...form.getInputProps("slug")}
      />
      <TextInput
        label="Display name"
        description="For people. Empty: only the slug is shown."
        maxLength={120}
        {...form.getInputProps("displayName")}
      />
    </>
  );
}

const meanings: Record<ModelStatus, string> = {
  DRAFT: "Callers get “model not found” until it is active.",
  ACTIVE: "Answers everybody whom it is granted to.",
  DISABLED: "Callers get “model not found”; grants are kept.",
};

export function StatusInput<T extends ModelValues>({ form }: Pick<Props<T>, "form">) {
  const { value, onChange, error } = form.getInputProps("status");
  return (
    <Input.Wrapper
      label="Status"
      labelElement="div"
      description={meanings[form.values.status]}
      inputWrapperOrder={["label", "input", "description", "error"]}
      error={error}
    >
      <SegmentedControl
        aria-label="Status"
        data={statusChoices}
        value={value}
        onChange={onChange}
        display="flex"
        w="fit-content"
        my={4}
      />
    </Input.Wrapper>
  );
}
