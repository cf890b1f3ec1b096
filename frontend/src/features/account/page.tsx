import { Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";
import { ProfileCard } from "@/features/account/profile-card";
import { TokensCard } from "@/features/account/tokens-card";

export function AccountPage() {
  return (
    <Stack gap="lg" maw={820}>
      <PageHeader title="Account" description="Your name, and tokens for scripts that act in it." />
      <ProfileCard />
      <TokensCard />
    </Stack>
  );
}
