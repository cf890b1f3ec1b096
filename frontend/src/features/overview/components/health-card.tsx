import { Badge, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Loaded } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { More } from "@/features/overview/components/more";
import { type Health, healthQuery } from "@/features/overview/queries";
import { plural } from "@/lib/numbers";

interface Part {
  name: string;
  fine: boolean;
  says: string;
}

/** Whether the parts of the server work, in a word each. */
export function HealthCard() {
  const query = useQuery(healthQuery);
  return (
    <SectionCard title="Health" actions={<More to="/admin/settings">Settings</More>}>
      <Loaded query={query}>
        {(health) => (
          <Stack gap="sm" component="ul" p={0} m={0} style={{ listStyle: "none" }}>
            {partsOf(health).map(({ name, fine, says }) => (
              <Group key={name} component="li" justify="space-between" gap="sm" wrap="nowrap">
                <Text size="sm">{name}</Text>
                <Badge color={fine ? "green" : "red"} style={{ flex: "none" }}>
                  {says}
                </Badge>
              </Group>
            ))}
          </Stack>
        )}
      </Loaded>
    </SectionCard>
  );
}

function partsOf({ deployment, jobs, failedMail, failedPosts, providers }: Health): Part[] {
  const failing = jobs.filter(({ failures }) => failures > 0);
  const on = providers.edges.filter(({ node }) => node.enabled).length;
  return [
    {
      name: "Providers",
      fine: on > 0,
      says: on === 0 ? "None is on" : `${on} on`,
    },
    {
      name: "Recurring work",
      fine: failing.length === 0,
      says: failing.length === 0 ? "Works" : `${plural(failing.length, "job")} fail`,
    },
    {
      name: "Mail",
      fine: deployment.mailConfigured && failedMail.totalCount === 0,
      says: !deployment.mailConfigured
        ? "Not set up"
        : failedMail.totalCount === 0
          ? "Works"
          : `${plural(failedMail.totalCount, "letter")} failed`,
    },
    {
      name: "Webhooks",
      fine: failedPosts.totalCount === 0,
      says:
        failedPosts.totalCount === 0
          ? "None failed"
          : `${plural(failedPosts.totalCount, "delivery", "deliveries")} failed`,
    },
  ];
}
