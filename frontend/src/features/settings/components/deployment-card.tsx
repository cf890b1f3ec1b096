import { SectionCard } from "@/components/section-card";
import { type Fact, Facts } from "@/features/settings/components/facts";
import type { Installation } from "@/features/settings/queries";
import type { InstallationQuery } from "@/gql/graphql";
import { plural } from "@/lib/numbers";

interface Props {
  deployment: InstallationQuery["deployment"];
  installation: Installation;
}

export function DeploymentCard({ deployment, installation }: Props) {
  const facts: Fact[] = [
    { label: "Version", value: deployment.version },
    {
      label: "Address",
      value: deployment.publicUrl,
      setBy: ["SLUICEGATE_PUBLIC_URL"],
    },
    { label: "Database", value: installation.database, setBy: ["SLUICEGATE_DATABASE_URL"] },
    {
      label: "Time zone of budgets and charts",
      value: deployment.timeZone,
      setBy: ["SLUICEGATE_TIME_ZONE"],
    },
    { label: "Invitations", value: `Links work for ${plural(installation.invitationDays, "day")}` },
    {
      label: "Password links",
      value: `Work for ${plural(installation.passwordLinkMinutes, "minute")}`,
    },
  ];
  return (
    <SectionCard title="Deployment" flush>
      <Facts label="Deployment" facts={facts} />
    </SectionCard>
  );
}
