import { Card, Group, Stack, Title } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { useId } from "react";
import { EmptyState } from "@/components/empty-state";
import type { UsageScope } from "@/features/usage/queries";
import { UsageRange } from "@/features/usage/usage-range";
import { UsageView } from "@/features/usage/usage-view";

interface Props {
  scope: UsageScope;
}

/** What somebody used, as a part of a page about more than that. */
export function ActivitySection({ scope }: Props) {
  const headingId = useId();
  return (
    <Stack component="section" aria-labelledby={headingId} gap="md" mt="md">
      <Group justify="space-between" gap="sm">
        <Title order={2} id={headingId} fz="lg">
          Activity
        </Title>
        <UsageRange />
      </Group>
      <UsageView
        scope={scope}
        unused={
          <Card>
            <EmptyState icon={IconChartBar} title="No calls yet">
              {scope.groupId === undefined
                ? "Spend, tokens and calls show here once this user's keys are used."
                : "Spend and tokens show here once a member calls a model."}
            </EmptyState>
          </Card>
        }
      />
    </Stack>
  );
}
