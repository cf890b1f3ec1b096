import { Radio, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Loaded } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { alertSettingsQuery, useSetAlertSettings } from "@/features/alerts/queries";
import { useSession } from "@/features/session/queries";
import type { AdminAlerts } from "@/gql/graphql";

const choices: { value: AdminAlerts; label: string; description: string }[] = [
  { value: "EVERY", label: "Every alert", description: "Also of personal caps and of API keys." },
  {
    value: "SHARED",
    label: "Those of groups",
    description: "Caps that a group sets for each member, and pools.",
  },
  { value: "POOLS", label: "Pools only", description: "What all members draw from together." },
  { value: "NONE", label: "None", description: "Webhooks and the list below still have them all." },
];

/** Which alerts administrators get. */
export function RecipientsCard() {
  const query = useQuery(alertSettingsQuery);
  const { mailConfigured } = useSession().deployment;
  const change = useSetAlertSettings();
  return (
    <SectionCard
      title="What administrators get"
      description={`People always get alerts about themselves. Each comes ${mailConfigured ? "by mail and in the console" : "in the console; no mail server is set up"}.`}
    >
      <Loaded query={query}>
        {(admins) => (
          <Radio.Group
            aria-label="What administrators get"
            value={change.isPending ? change.variables : admins}
            onChange={(value) => change.mutate(value as AdminAlerts)}
          >
            <Stack gap="xs">
              {choices.map((choice) => (
                <Radio key={choice.value} {...choice} />
              ))}
            </Stack>
          </Radio.Group>
        )}
      </Loaded>
    </SectionCard>
  );
}
