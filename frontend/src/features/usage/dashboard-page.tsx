import { Button, Card, Group, Stack } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { useSession } from "@/features/session/queries";
import { AllowanceCard } from "@/features/usage/allowance-card";
import { UsageRange } from "@/features/usage/usage-range";
import { UsageView } from "@/features/usage/usage-view";

export function DashboardPage() {
  const { user } = useSession().viewer;
  return (
    <Stack gap="lg">
      <PageHeader title="Dashboard" description="Your own usage." actions={<UsageRange />} />
      <UsageView scope={own} between={<AllowanceCard userId={user.id} />} unused={<FirstSteps />} />
    </Stack>
  );
}

const own = {};

function FirstSteps() {
  return (
    <Card padding={0}>
      <EmptyState
        icon={IconPlugConnected}
        title="Nothing was sent yet"
        action={
          <Group gap="xs" justify="center">
            <Button renderRoot={(props) => <Link to="/api-keys" {...props} />}>
              Create an API key
            </Button>
            <Button variant="default" renderRoot={(props) => <Link to="/connect" {...props} />}>
              Connect an assistant
            </Button>
          </Group>
        }
      >
        Create a key, put it into your coding assistant, and your calls and what they cost show up
        here.
      </EmptyState>
    </Card>
  );
}
