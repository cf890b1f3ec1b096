import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { later } from "@/components/later";
import { Loaded } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { CardSkeleton } from "@/components/skeletons";
import { DeploymentCard } from "@/features/settings/components/deployment-card";
import { EncryptionCard } from "@/features/settings/components/encryption-card";
import { EnvironmentCard } from "@/features/settings/components/environment-card";
import { JobsCard } from "@/features/settings/components/jobs-card";
import { MailCard } from "@/features/settings/components/mail-card";
import { OutboxCard } from "@/features/settings/components/outbox-card";
import { installationQuery } from "@/features/settings/queries";

const ProvisioningCard = later(
  async () => (await import("@/features/provisioning/card")).ProvisioningCard,
);
const SsoCard = later(async () => (await import("@/features/sso/components/sso-card")).SsoCard);

export function SettingsPage() {
  const query = useQuery(installationQuery);
  return (
    <Stack gap="lg" maw={920}>
      <PageHeader
        title="Settings"
        description="How this installation is set up, and whether its parts work."
      />
      <Loaded
        query={query}
        skeleton={
          <>
            <CardSkeleton rows={5} />
            <CardSkeleton rows={5} />
          </>
        }
      >
        {({ deployment, installation, jobs }) => (
          <>
            <MailCard configured={deployment.mailConfigured} settings={installation.settings} />
            <OutboxCard />
            <SsoCard />
            <ProvisioningCard />
            <DeploymentCard deployment={deployment} installation={installation} />
            <EncryptionCard encryption={installation.encryption} />
            <JobsCard jobs={jobs} />
            <EnvironmentCard settings={installation.settings} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}
