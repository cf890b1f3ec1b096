import { Stack } from "@mantine/core";
import { PageHeader } from "@/components/page-header";
import { PasswordCard } from "@/features/account/password-card";
import { ProfileCard } from "@/features/account/profile-card";
import { SessionsCard } from "@/features/account/sessions-card";
import { TokensCard } from "@/features/account/tokens-card";

export function AccountPage() {
  return (
    <Stack gap="lg" maw={820}>
      <PageHeader
        title="Account"
        description="Your name, your password, where you are signed in, and tokens for scripts that act in your name."
      />
      <ProfileCard />
      <PasswordCard />
      <SessionsCard />
      <TokensCard />
    </Stack>
  );
}
