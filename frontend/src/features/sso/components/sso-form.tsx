import { Anchor, Group, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody } from "@/components/form-dialog";
import { PasswordField } from "@/components/password-field";
import { words } from "@/features/sso/lists";
import { type SingleSignOn, useUpdateSingleSignOn } from "@/features/sso/queries";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Props {
  sso: SingleSignOn;
  onDone: () => void;
}

interface Values extends Record<string, unknown> {
  enabled: boolean;
  issuer: string;
  clientId: string;
  clientSecret: string;
  label: string;
  scopes: string;
  groupsClaim: string;
  createsPeople: boolean;
  domains: string;
  membersUsePasswords: boolean;
  trustsEmail: boolean;
}

const labels = {
  enabled: "On",
  issuer: "Issuer",
  clientId: "Client id",
  label: "Name on the button",
  scopes: "More scopes",
  groupsClaim: "Groups claim",
  createsPeople: "Create accounts",
  domains: "E-mail domains",
  membersUsePasswords: "Passwords for members",
  trustsEmail: "Accept addresses without email_verified",
};

const valuesOf = (sso: SingleSignOn): Values => ({
  enabled: sso.enabled,
  issuer: sso.issuer,
  clientId: sso.clientId,
  clientSecret: "",
  label: sso.label,
  scopes: sso.scopes.join(" "),
  groupsClaim: sso.groupsClaim,
  createsPeople: sso.createsPeople,
  domains: sso.domains.join("\n"),
  membersUsePasswords: sso.membersUsePasswords,
  trustsEmail: sso.trustsEmail,
});

export function SsoForm({ sso, onDone }: Props) {
  const update = useUpdateSingleSignOn();
  const [removesSecret, setRemovesSecret] = useState(false);
  const theirs = valuesOf(sso);
  const form = useForm<Values>({ initialValues: theirs });
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: sso.version,
    values: theirs,
    refresh: keys.singleSignOn,
    save: async ({ clientSecret, scopes, domains, ...values }, expectedVersion) => {
      await update.mutateAsync({
        ...values,
        scopes: words(scopes),
        domains: words(domains),
        expectedVersion,
        ...(removesSecret ? { clientSecret: null } : clientSecret ? { clientSecret } : {}),
      });
      notifySuccess("Single sign-on is saved.");
      onDone();
    },
  });
  const toggle = (name: keyof typeof labels) => form.getInputProps(name, { type: "checkbox" });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Save single sign-on"
      saving={saving}
      problem={problem}
      disabled={conflict !== null}
    >
      <TextInput
        label={labels.issuer}
        description="The address that the provider calls itself, to the letter."
        placeholder="https://login.example.com/realms/staff"
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("issuer")}
      />
      <TextInput label={labels.clientId} autoComplete="off" {...form.getInputProps("clientId")} />
      <Stack gap={4}>
        <PasswordField
          label="Client secret"
          description={
            sso.clientSecretUpdatedAt
              ? "One is set and never shown. Type another to replace it."
              : "Empty for a public client."
          }
          autoComplete="new-password"
          disabled={removesSecret}
          {...form.getInputProps("clientSecret")}
        />
        {sso.clientSecretUpdatedAt ? (
          <Group gap="xs">
            <Anchor
              component="button"
              type="button"
              size="sm"
              onClick={() => setRemovesSecret(!removesSecret)}
            >
              {removesSecret ? "Keep the client secret" : "Remove the client secret"}
            </Anchor>
            {removesSecret ? (
              <Text size="sm" c="dimmed" role="status">
                It is removed when you save.
              </Text>
            ) : null}
          </Group>
        ) : null}
      </Stack>
      <TextInput
        label={labels.label}
        description="Sign in with …"
        placeholder="Acme"
        autoComplete="off"
        {...form.getInputProps("label")}
      />
      <TextInput
        label={labels.scopes}
        description="Asked for beside openid, email and profile; separated by blanks."
        autoComplete="off"
        {...form.getInputProps("scopes")}
      />
      <TextInput
        label={labels.groupsClaim}
        description="Where the provider lists groups or roles; a path such as realm_access.roles leads into nested claims."
        autoComplete="off"
        {...form.getInputProps("groupsClaim")}
      />
      <Switch
        label={labels.createsPeople}
        description="Whoever comes for the first time gets an account as a member. Otherwise people have to be invited."
        {...toggle("createsPeople")}
      />
      {form.values.createsPeople ? (
        <Textarea
          label={labels.domains}
          description="Only for addresses at these domains; empty for any."
          placeholder="example.com"
          autosize
          minRows={2}
          {...form.getInputProps("domains")}
        />
      ) : null}
      <Switch
        label={labels.membersUsePasswords}
        description="Administrators can always sign in with theirs, so that nobody is locked out."
        {...toggle("membersUsePasswords")}
      />
      <Switch
        label={labels.trustsEmail}
        description="For providers that never say whether an address is verified. Switch it on only if nobody can give themselves an address there."
        {...toggle("trustsEmail")}
      />
      <Switch
        label={labels.enabled}
        description="Shows the button on the sign-in page."
        {...toggle("enabled")}
      />
      {conflict ? <ConflictNotice {...conflict} mine={form.values} labels={labels} /> : null}
    </FormBody>
  );
}
