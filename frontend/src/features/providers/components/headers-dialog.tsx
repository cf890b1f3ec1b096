import { ActionIcon, Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { useUpdateProvider } from "@/features/providers/mutations";
import type { Provider } from "@/features/providers/queries";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  provider: Pick<Provider, "id" | "name" | "headerNames" | "version">;
  opened: boolean;
  onClose: () => void;
}

/** Further headers of every call to a provider; values go in and never come out again. */
export default function HeadersDialog({ provider, opened, onClose }: Props) {
  return (
    <FormDialog opened={opened} onClose={onClose} title={`Headers for ${provider.name}`} size="lg">
      <HeadersForm provider={provider} onClose={onClose} />
    </FormDialog>
  );
}

interface Row {
  name: string;
  value: string;
  /** Whether a value is stored, which an empty field keeps. */
  stored: boolean;
}

interface Values extends Record<string, unknown> {
  headers: Row[];
}

const mostHeaders = 20;

function HeadersForm({ provider, onClose }: Omit<Props, "opened">) {
  const update = useUpdateProvider();
  const form = useForm<Values>({
    initialValues: {
      headers: provider.headerNames.map((name) => ({ name, value: "", stored: true })),
    },
    validate: {
      headers: {
        name: (text) => (text.trim() === "" ? "Give the header's name" : null),
        value: (text, { headers }, path) => {
          const row = headers[Number(path.split(".")[1])];
          return text.trim() === "" && !row?.stored ? "Give a value" : null;
        },
      },
    },
  });
  const { submit, saving, problem } = useSave(form, async ({ headers }) => {
    await update.mutateAsync({
      id: provider.id,
      headers: headers.map(({ name, value }) => ({
        name: name.trim(),
        value: value.trim() === "" ? null : value.trim(),
      })),
      expectedVersion: provider.version,
    });
    notifySuccess("Headers saved. They go with the next call.");
    onClose();
  });
  const { headers } = form.values;
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Save"
      saving={saving}
      problem={problem}
    >
      <Text size="sm" c="dimmed">
        Sent with every call, in place of a caller's header of the same name. Values are stored
        encrypted; nobody can read them again.
      </Text>
      <Stack gap="sm">
        {headers.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have nothing else that tells them apart
          <Group key={index} gap="xs" align="flex-end" wrap="nowrap">
            <TextInput
              label={`Name of header ${index + 1}`}
              placeholder="X-Team"
              readOnly={row.stored}
              flex={1}
              {...form.getInputProps(`headers.${index}.name`)}
            />
            <PasswordInput
              label={`Value of header ${index + 1}`}
              placeholder={row.stored ? "Stored; leave empty to keep it" : ""}
              autoComplete="off"
              flex={1}
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the value" }}
              {...form.getInputProps(`headers.${index}.value`)}
            />
            <ActionIcon
              aria-label={`Remove header ${index + 1}`}
              mb={6}
              onClick={() => form.removeListItem("headers", index)}
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        {headers.length < mostHeaders ? (
          <Button
            size="xs"
            variant="default"
            w="fit-content"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => form.insertListItem("headers", { name: "", value: "", stored: false })}
          >
            Add header
          </Button>
        ) : null}
      </Stack>
    </FormBody>
  );
}
