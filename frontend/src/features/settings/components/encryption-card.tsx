import { Alert, Code, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { type Fact, Facts } from "@/features/settings/components/facts";
import type { Installation } from "@/features/settings/queries";
import { plural } from "@/lib/numbers";

interface Props {
  encryption: Installation["encryption"];
}

/** Which keys open the stored credentials, and whether any of them can't be opened. */
export function EncryptionCard({ encryption: { primary, secondary, unreadable } }: Props) {
  const facts: Fact[] = [
    {
      label: "Key in use",
      value: (
        <>
          <Code>{primary.id}</Code>, seals {plural(primary.credentials, "credential")}
          {primary.madeAt ? (
            <Text size="xs" c="dimmed">
              Generated <When at={primary.madeAt} /> and kept in the data folder. Keep a copy of it:
              without it no stored credential can be read.
            </Text>
          ) : null}
        </>
      ),
      setBy: ["SLUICEGATE_KEK_PRIMARY"],
    },
    {
      label: "Previous key",
      value:
        secondary === null || secondary === undefined ? (
          "None"
        ) : (
          <>
            <Code>{secondary.id}</Code>, still seals {plural(secondary.credentials, "credential")}
            <Text size="xs" c="dimmed">
              {secondary.credentials === 0
                ? "Nothing needs it any more; it can be taken out."
                : "Keep it until each of these credentials has been entered again."}
            </Text>
          </>
        ),
      setBy: ["SLUICEGATE_KEK_SECONDARY"],
    },
  ];
  return (
    <SectionCard
      title="Encryption key"
      description="Wraps the credentials of providers. Only what tells it from another key is ever shown."
      flush
    >
      <Stack gap={0}>
        {unreadable > 0 ? (
          <Alert
            m="md"
            color="red"
            icon={<IconAlertTriangle aria-hidden />}
            title={`${plural(unreadable, "credential")} can't be read`}
          >
            Neither key opens them, so calls to these providers fail. Bring back the key that sealed
            them, or enter the credentials again.
          </Alert>
        ) : null}
        <Facts label="Encryption key" facts={facts} />
      </Stack>
    </SectionCard>
  );
}
