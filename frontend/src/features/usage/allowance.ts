import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { AllowanceQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

export type Allowance = AllowanceQuery["effectivePolicy"];

const document = graphql(`
  query Allowance($userId: ID!) {
    effectivePolicy(userId: $userId) {
      limits { dimension limit used source { kind name } override { id reason createdBy endsAt } }
      budgets {
        window cap spent reserved resetsAt reachedAt alertThresholds
        source { kind name }
        override { id reason createdBy endsAt }
      }
      pools {
        source { kind id name }
        limits { dimension limit used }
        budgets { window cap spent reserved resetsAt reachedAt alertThresholds }
      }
    }
  }
`);

// Every call changes what is left, so it is asked for again while somebody looks.
const refreshEvery = 15_000;

export const allowanceQuery = (userId: string) =>
  queryOptions({
    queryKey: keys.allowance(userId),
    queryFn: async () => (await execute(document, { userId })).effectivePolicy,
    refetchInterval: refreshEvery,
  });
