import { ActionIcon, Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconUsersGroup, IconX } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody } from "@/components/form-dialog";
import { type Choices, LookupFilter } from "@/components/lookup-filter";
import { groupPickerQuery } from "@/features/groups/queries";
import { lines } from "@/features/sso/lists";
import { type SingleSignOn, useSetMapping } from "@/features/sso/queries";
import { notifySuccess } from "@/lib/notify";
import { rowsOf } from "@/lib/pages";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Props {
  sso: SingleSignOn;
  onDone: () => void;
}

interface Row {
  key: string;
  value: string;
  group: { id: string; name: string } | null;
}

interface Values extends Record<string, unknown> {
  mappings: Row[];
  adminValues: string;
}

const labels = { mappings: "Rows", adminValues: "Values that make administrators" };

const newRow = (): Row => ({ key: crypto.randomUUID(), value: "", group: null });

const valuesOf = ({ mappings, adminValues }: SingleSignOn): Values => ({
  mappings: mappings.map(({ value, groupId, group }) => ({
    key: `${value} ${groupId}`,
    value,
    group: { id: groupId, name: group?.name ?? "A deleted group" },
  })),
  adminValues: adminValues.join("\n"),
});

function shown(field: PropertyKey, value: unknown): string {
  const text =
    field === "mappings"
      ? (value as Row[]).map((row) => `${row.value} → ${row.group?.name ?? "?"}`).join(", ")
      : String(value).replaceAll("\n", ", ");
  return text || "nothing";
}

export function MappingForm({ sso, onDone }: Props) {
  const set = useSetMapping();
  const theirs = valuesOf(sso);
  const form = useForm<Values>({
    initialValues: theirs.mappings.length === 0 ? { ...theirs, mappings: [newRow()] } : theirs,
    validate: ({ mappings }) =>
      Object.fromEntries(
        mappings.flatMap(({ value, group }, index) =>
          group !== null && value.trim() === ""
            ? [[`mappings.${index}.value`, "Enter a value"]]
            : [],
        ),
      ),
  });
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: sso.version,
    values: theirs,
    refresh: keys.singleSignOn,
    save: async ({ mappings, adminValues }, expectedVersion) => {
      await set.mutateAsync({
        mappings: mappings.flatMap(({ value, group }) =>
          group === null ? [] : [{ value, groupId: group.id }],
        ),
        adminValues: lines(adminValues),
        expectedVersion,
      });
      notifySuccess("The mapping is saved. It takes effect at each person's next sign-in.");
      onDone();
    },
  });
  const { mappings: refused } = form.errors;
  const unfinished = form.values.mappings.some((row) => row.value.trim() !== "" && !row.group);
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Save mapping"
      saving={saving}
      problem={problem ?? (unfinished ? "Choose a group for each value, or remove the row." : null)}
      disabled={conflict !== null || unfinished}
    >
      <Text size="sm" c="dimmed">
        Whoever has the value in the claim is a member of the group. Memberships that were given by
        hand stay as they are.
      </Text>
      <Stack component="ul" gap="xs" m={0} p={0} aria-label="Rows" style={{ listStyle: "none" }}>
        {form.values.mappings.map((row, index) => (
          <Group key={row.key} component="li" gap="xs" wrap="nowrap" align="flex-start">
            <TextInput
              aria-label={`Value ${index + 1}`}
              placeholder="developers"
              autoComplete="off"
              flex={1}
              {...form.getInputProps(`mappings.${index}.value`)}
            />
            <GroupChoice
              row={row}
              number={index + 1}
              onChoose={(group) => form.setFieldValue(`mappings.${index}.group`, group)}
            />
            <ActionIcon
              mt={4}
              aria-label={`Remove row ${index + 1}`}
              onClick={() => form.removeListItem("mappings", index)}
            >
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
      </Stack>
      {refused ? (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {refused}
        </Text>
      ) : null}
      <Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => form.insertListItem("mappings", newRow())}
        >
          Add row
        </Button>
      </Group>
      <Textarea
        label={labels.adminValues}
        description="One per line. The last administrator keeps the role in any case."
        autosize
        minRows={2}
        {...form.getInputProps("adminValues")}
      />
      {conflict ? (
        <ConflictNotice {...conflict} mine={form.values} labels={labels} show={shown} />
      ) : null}
    </FormBody>
  );
}

interface ChoiceProps {
  row: Row;
  number: number;
  onChoose: (group: Row["group"]) => void;
}

function GroupChoice({ row, number, onChoose }: ChoiceProps) {
  return (
    <LookupFilter
      label={`Group of row ${number}`}
      icon={IconUsersGroup}
      searchLabel="Search groups"
      all="Choose a group"
      none="No group matches"
      chosen={row.group?.name ?? null}
      useFound={useGroups}
      w={{ base: 150, sm: 220 }}
      onChange={(choice) => onChoose(choice === null ? null : parse(choice))}
    />
  );
}

// The list gives back a text alone, and the name has to be shown at once.
const parse = (choice: string): Row["group"] => {
  const [id = "", name = ""] = JSON.parse(choice) as string[];
  return { id, name };
};

function useGroups(sought: string): Choices[] | undefined {
  const { data } = useInfiniteQuery(groupPickerQuery(sought));
  if (data === undefined) return undefined;
  const choices = rowsOf(data).map(({ id, name }) => ({
    value: JSON.stringify([id, name]),
    name,
    email: null,
  }));
  return choices.length === 0 ? [] : [{ label: "Groups", choices }];
}
