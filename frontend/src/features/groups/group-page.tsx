import { SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { LoadFailure } from "@/components/loaded";
import { PageMissing } from "@/components/page-missing";
import { CardSkeleton, PageSkeleton } from "@/components/skeletons";
import { GroupHeader } from "@/features/groups/components/group-header";
import { MembersCard } from "@/features/groups/components/members-card";
import { type GroupDetail, groupDetailQuery } from "@/features/groups/queries";
import { BudgetCard } from "@/features/policy/components/budget-card";
import { GrantsCard } from "@/features/policy/components/grants-card";
import { RateLimitCard } from "@/features/policy/components/rate-limit-card";
import { mergeGrants } from "@/features/policy/merge-grants";
import { type GroupPolicy, groupPolicyQuery } from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";
import { ActivitySection } from "@/features/usage/activity-section";

interface Props {
  groupId: string;
}

export function GroupPage({ groupId }: Props) {
  const group = useQuery(groupDetailQuery(groupId));
  if (group.data === null) {
    return (
      <PageMissing title="There is no such group">
        It may have been deleted. Its former members keep what is set elsewhere.
      </PageMissing>
    );
  }
  if (group.data) return <Loaded group={group.data} />;
  if (group.isError)
    return <LoadFailure error={group.error} onRetry={() => void group.refetch()} />;
  return <PageSkeleton />;
}

function Loaded({ group }: { group: GroupDetail }) {
  const policy = useQuery(groupPolicyQuery(group.id));
  const scope = { groupId: group.id };
  return (
    <Stack gap="lg">
      <GroupHeader group={group} />
      <MembersCard group={group} />
      {policy.data ? (
        <PolicyCards group={group} policy={policy.data} />
      ) : policy.isError ? (
        <LoadFailure error={policy.error} onRetry={() => void policy.refetch()} />
      ) : (
        <>
          <CardSkeleton rows={5} />
          <CardSkeleton rows={4} />
        </>
      )}
      <ActivitySection scope={scope} />
    </Stack>
  );
}

function PolicyCards({ group, policy }: { group: GroupDetail; policy: GroupPolicy }) {
  const members: Subject = { kind: "group", id: group.id, name: group.name };
  const together: Subject = { ...members, kind: "pool" };
  const { pool } = policy;
  return (
    <>
      <GrantsCard subject={members} held={mergeGrants(policy.grants)} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
        <BudgetCard
          subject={members}
          budget={policy.budget}
          version={policy.budgetVersion.version}
        />
        <RateLimitCard
          subject={members}
          rateLimit={policy.rateLimit}
          version={policy.limitVersion.version}
        />
        <BudgetCard
          subject={together}
          budget={pool.budget}
          version={pool.budgetVersion.version}
          inForce={pool.budgets}
        />
        <RateLimitCard
          subject={together}
          rateLimit={pool.rateLimit}
          version={pool.limitVersion.version}
          inForce={pool.limits}
        />
      </SimpleGrid>
    </>
  );
}
