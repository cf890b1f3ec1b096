import { Alert, Badge, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconPlugConnected, IconSettings } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CopyButton } from "@/components/copy-button";
import { FormDialog } from "@/components/form-dialog";
import { LoadFailure } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { CardSkeleton } from "@/components/skeletons";
import { When } from "@/components/when";
import { type Fact, Facts } from "@/features/settings/components/facts";
import { MappingForm } from "@/features/sso/components/mapping-form";
import { SsoForm } from "@/features/sso/components/sso-form";
import { type SingleSignOn, singleSignOnQuery, useTestSingleSignOn } from "@/features/sso/queries";
import { plural } from "@/lib/numbers";

/** How people sign in through an identity provider, and what its groups give them. */
export function SsoCard() {
  const query = useQuery(singleSignOnQuery);
  if (query.data) return <Loaded sso={query.data} />;
  if (query.isError)
    return <LoadFailure error={query.error} onRetry={() => void query.refetch()} />;
  return <CardSkeleton rows={6} />;
}

function Loaded({ sso }: { sso: SingleSignOn }) {
  const [open, setOpen] = useState<"settings" | "mapping" | null>(null);
  const close = () => setOpen(null);
  const isSetUp = sso.issuer !== "";
  return (
    <SectionCard
      title="Single sign-on"
      mark={<Badge color={sso.enabled ? "green" : "gray"}>{sso.enabled ? "On" : "Off"}</Badge>}
      description="People sign in through your identity provider by OpenID Connect, and its groups give them memberships."
      flush
      actions={
        <Button
          size="xs"
          variant="default"
          leftSection={<IconSettings size={14} aria-hidden />}
          onClick={() => setOpen("settings")}
        >
          {isSetUp ? "Edit single sign-on" : "Set up single sign-on"}
        </Button>
      }
    >
      <Facts
        label="Single sign-on"
        facts={isSetUp ? [redirect(sso), ...facts(sso)] : [redirect(sso)]}
      />
      {isSetUp ? (
        <Stack gap="sm" p="lg">
          <Group gap="xs">
            <Test />
            <Button size="xs" variant="default" onClick={() => setOpen("mapping")}>
              Edit group mapping
            </Button>
          </Group>
          <MappingList sso={sso} />
        </Stack>
      ) : null}
      <FormDialog opened={open === "settings"} onClose={close} title="Single sign-on" size="lg">
        <SsoForm sso={sso} onDone={close} />
      </FormDialog>
      <FormDialog opened={open === "mapping"} onClose={close} title="Group mapping" size="lg">
        <MappingForm sso={sso} onDone={close} />
      </FormDialog>
    </SectionCard>
  );
}

const redirect = ({ redirectUrl }: SingleSignOn): Fact => ({
  label: "Redirect address",
  value: (
    <Group gap={4} wrap="nowrap">
      <Code style={{ overflowWrap: "anywhere" }}>{redirectUrl}</Code>
      <CopyButton value={redirectUrl} what="redirect address" compact />
    </Group>
  ),
  setBy: ["SLUICEGATE_PUBLIC_URL"],
});

const facts = (sso: SingleSignOn): Fact[] => [
  { label: "Issuer", value: sso.issuer },
  { label: "Client id", value: sso.clientId || "None" },
  {
    label: "Client secret",
    value: sso.clientSecretUpdatedAt ? (
      <>
        Set <When at={sso.clientSecretUpdatedAt} />, never shown
      </>
    ) : (
      "None, as of a public client"
    ),
  },
  { label: "Button", value: `Sign in with ${sso.label || "single sign-on"}` },
  { label: "New people", value: newPeople(sso) },
  {
    label: "Passwords",
    value: sso.membersUsePasswords
      ? "For everybody, beside single sign-on"
      : "For administrators alone",
  },
];

function newPeople({ createsPeople, domains }: SingleSignOn): string {
  if (!createsPeople) return "Only those who were invited come in";
  if (domains.length === 0) return "Get an account, whatever their e-mail address";
  return `Get an account with an address at ${domains.join(", ")}`;
}

function Test() {
  const test = useTestSingleSignOn();
  const found = test.data;
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlugConnected size={14} aria-hidden />}
        loading={test.isPending}
        onClick={() => test.mutate()}
      >
        Test the provider
      </Button>
      {found === undefined || test.isPending ? null : (
        <Alert
          w="100%"
          style={{ order: 1 }}
          color={found.problems.length === 0 ? "green" : "red"}
          role={found.problems.length === 0 ? "status" : "alert"}
        >
          {found.problems.length === 0 ? (
            <Text size="sm">The provider answers, and offers all that is needed.</Text>
          ) : null}
          {[...found.problems, ...found.notes].map((line) => (
            <Text key={line} size="sm" style={{ overflowWrap: "anywhere" }}>
              {line}
            </Text>
          ))}
        </Alert>
      )}
    </>
  );
}

function MappingList({ sso: { mappings, adminValues, groupsClaim } }: { sso: SingleSignOn }) {
  if (mappings.length === 0 && adminValues.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No value of the claim <Code>{groupsClaim}</Code> gives anything yet.
      </Text>
    );
  }
  return (
    <>
      <Text size="sm" c="dimmed">
        {plural(mappings.length + adminValues.length, "value")} of the claim{" "}
        <Code>{groupsClaim}</Code> give something, from each person's next sign-in on:
      </Text>
      <Stack component="ul" gap={4} m={0} pl="md" fz="sm" aria-label="Group mapping">
        {mappings.map(({ value, groupId, group }) => (
          <li key={`${value} ${groupId}`} style={{ overflowWrap: "anywhere" }}>
            <Code>{value}</Code> → {group?.name ?? "a deleted group"}
          </li>
        ))}
        {adminValues.map((value) => (
          <li key={value} style={{ overflowWrap: "anywhere" }}>
            <Code>{value}</Code> → role <b>admin</b>
          </li>
        ))}
      </Stack>
    </>
  );
}
