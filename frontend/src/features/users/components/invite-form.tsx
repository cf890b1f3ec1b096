import { Button, FileButton, Radio, Stack, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconFileImport } from "@tabler/icons-react";
import { FormBody } from "@/components/form-dialog";
import { GroupsField } from "@/features/groups/components/groups-field";
import type { InviteResult } from "@/features/users/components/invite-dialog";
import { useInviteUsers } from "@/features/users/mutations";
import { addressesInFile, parseAddresses } from "@/features/users/parse-addresses";
import type { Role } from "@/gql/graphql";
import { plural } from "@/lib/numbers";
import { useSave } from "@/lib/use-save";

interface Props {
  initial: string;
  onInvited: (results: InviteResult[]) => void;
  onCancel: () => void;
}

interface Values extends Record<string, unknown> {
  emails: string;
  role: Role;
  groupIds: string[];
}

/** The server takes so many at once; more are sent one lot after the other. */
const atOnce = 100;

export function InviteForm({ initial, onInvited, onCancel }: Props) {
  const invite = useInviteUsers();
  const form = useForm<Values>({
    initialValues: { emails: initial, role: "MEMBER", groupIds: [] },
    validate: {
      emails: (text) => (parseAddresses(text).length === 0 ? "Enter at least one address" : null),
    },
  });
  const { submit, saving, problem } = useSave(form, async ({ emails, role, groupIds }: Values) => {
    const addresses = parseAddresses(emails);
    const results: InviteResult[] = [];
    for (let at = 0; at < addresses.length; at += atOnce) {
      const lot = addresses.slice(at, at + atOnce);
      results.push(...(await invite.mutateAsync({ emails: lot, role, groupIds })));
    }
    onInvited(results);
  });
  const count = parseAddresses(form.values.emails).length;

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onCancel}
      submitLabel={count > 1 ? `Invite ${count} users` : "Invite user"}
      saving={saving}
      problem={problem}
    >
      <Textarea
        label="E-mail addresses"
        description={
          count > 1
            ? `${plural(count, "address", "addresses")} found`
            : "One or many: paste a list, a spreadsheet column or addresses from a mail"
        }
        placeholder={"ada@example.com\ngrace@example.com"}
        autosize
        minRows={4}
        maxRows={10}
        data-autofocus
        spellCheck={false}
        {...form.getInputProps("emails")}
      />
      <FileButton
        accept=".csv,.txt,text/csv,text/plain"
        onChange={(file) => {
          if (file)
            void file
              .text()
              .then((text) => form.setFieldValue("emails", addressesInFile(text).join("\n")));
        }}
      >
        {(props) => (
          <Button
            {...props}
            variant="subtle"
            size="compact-sm"
            w="fit-content"
            mt="-xs"
            leftSection={<IconFileImport size={15} aria-hidden />}
          >
            Take them from a CSV file
          </Button>
        )}
      </FileButton>
      <Radio.Group label="Role" {...form.getInputProps("role")}>
        <Stack gap="xs" mt={6}>
          <Radio
            value="MEMBER"
            label="Member"
            description="Creates own API keys, sees available models and own usage"
          />
          <Radio
            value="ADMIN"
            label="Admin"
            description="Manages providers, models, users, groups and settings"
          />
        </Stack>
      </Radio.Group>
      <GroupsField
        label="Groups"
        description="Optional; grants, limits and caps of these groups apply from the first call"
        {...form.getInputProps("groupIds")}
      />
    </FormBody>
  );
}
