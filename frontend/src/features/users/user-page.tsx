import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { DetailColumns } from "@/components/detail-columns";
import { later } from "@/components/later";
import { LoadFailure } from "@/components/loaded";
import { PageMissing } from "@/components/page-missing";
import { CardSkeleton, PageSkeleton } from "@/components/skeletons";
import { BudgetCard } from "@/features/policy/components/budget-card";
import { EffectivePolicyCard } from "@/features/policy/components/effective-policy-card";
import { PoolsCard } from "@/features/policy/components/pools-card";
import { RateLimitCard } from "@/features/policy/components/rate-limit-card";
import { mergeGrants } from "@/features/policy/merge-grants";
import { type UserPolicy, userPolicyQuery } from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";
import { UserGroupsCard } from "@/features/users/components/user-groups-card";
import { UserHeader } from "@/features/users/components/user-header";
import { UserNotice } from "@/features/users/components/user-notice";
import { type UserDetail, userDetailQuery, userName } from "@/features/users/queries";

// Together they are more than a page may weigh, and they stand where nobody looks first.
const ExplainCard = later(
  async () => (await import("@/features/policy/components/explain-card")).ExplainCard,
);
const GrantsCard = later(
  async () => (await import("@/features/policy/components/grants-card")).GrantsCard,
);
const RaisesCard = later(
  async () => (await import("@/features/policy/components/raises-card")).RaisesCard,
);
const UserKeysCard = later(
  async () => (await import("@/features/users/components/user-keys-card")).UserKeysCard,
);
const UserSignInCard = later(
  async () => (await import("@/features/users/components/user-sign-in-card")).UserSignInCard,
);
const ActivitySection = later(
  async () => (await import("@/features/usage/activity-section")).ActivitySection,
);

interface Props {
  userId: string;
}

export function UserPage({ userId }: Props) {
  const user = useQuery(userDetailQuery(userId));
  if (user.data === null) {
    return (
      <PageMissing title="There is no such user">
        The account may have been deleted. Its past usage stays in the organisation's totals.
      </PageMissing>
    );
  }
  if (user.data) return <Loaded user={user.data} />;
  if (user.isError) return <LoadFailure error={user.error} onRetry={() => void user.refetch()} />;
  return <PageSkeleton />;
}

function Loaded({ user }: { user: UserDetail }) {
  const policy = useQuery(userPolicyQuery(user.id));
  const subject: Subject = { kind: "user", id: user.id, name: userName(user) };
  const scope = { userId: user.id };
  return (
    <Stack gap="lg">
      <UserHeader user={user} />
      <UserNotice user={user} />
      <DetailColumns
        main={
          policy.data ? (
            <EffectivePolicyCard policy={policy.data.effectivePolicy} />
          ) : policy.isError ? (
            <LoadFailure error={policy.error} onRetry={() => void policy.refetch()} />
          ) : (
            <CardSkeleton rows={4} />
          )
        }
        side={<ExplainCard userId={user.id} />}
      />
      <DetailColumns
        main={
          policy.data ? (
            <PolicyCards subject={subject} policy={policy.data} />
          ) : policy.isError ? null : (
            <>
              <CardSkeleton rows={7} />
              <CardSkeleton rows={7} />
            </>
          )
        }
        side={
          <>
            <UserGroupsCard user={user} />
            <UserKeysCard user={user} />
            <UserSignInCard user={user} />
          </>
        }
      />
      <ActivitySection scope={scope} />
    </Stack>
  );
}

function PolicyCards({ subject, policy }: { subject: Subject; policy: UserPolicy }) {
  const { limits, budgets, pools } = policy.effectivePolicy;
  return (
    <>
      <BudgetCard
        subject={subject}
        budget={policy.budget}
        version={policy.budgetVersion.version}
        inForce={budgets}
      />
      <RateLimitCard
        subject={subject}
        rateLimit={policy.rateLimit}
        version={policy.limitVersion.version}
        inForce={limits}
      />
      <PoolsCard pools={pools} />
      <GrantsCard subject={subject} held={mergeGrants(policy.grants, policy.inheritedGrants)} />
      {policy.raises.length === 0 ? null : <RaisesCard raises={policy.raises} />}
    </>
  );
}
