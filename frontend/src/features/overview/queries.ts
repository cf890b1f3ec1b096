import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  OverviewAlertsQuery,
  OverviewHealthQuery,
  OverviewRefusalsQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const alertsDocument = graphql(`
  query OverviewAlerts {
    budgetOwners(first: 5, use: REACHED) {
      totalCount
      edges { node { id kind subjectId name uses { window cap spent resetsAt } } }
    }
  }
`);

const refusalsDocument = graphql(`
  query OverviewRefusals {
    auditEvents(first: 6) {
      edges { node { id at actorLabel action targetLabel } }
    }
    refusals: auditEvents(first: 1, action: "gateway.refuse") {
      totalCount
      edges { node { id at } }
    }
  }
`);

const healthDocument = graphql(`
  query OverviewHealth {
    deployment { version mailConfigured }
    jobs { name failures error }
    failedMail: mailDeliveries(first: 1, status: FAILED) { totalCount }
    failedPosts: webhookDeliveries(first: 1, status: FAILED) { totalCount }
    providers(first: 100) { edges { node { id enabled } } }
  }
`);

export type Exhausted = OverviewAlertsQuery["budgetOwners"]["edges"][number]["node"];
export type AdminEvent = OverviewRefusalsQuery["auditEvents"]["edges"][number]["node"];
export type Health = OverviewHealthQuery;

const refreshEvery = 30_000;

export const exhaustedQuery = queryOptions({
  queryKey: keys.overview("exhausted"),
  queryFn: async () => (await execute(alertsDocument)).budgetOwners,
  refetchInterval: refreshEvery,
});

export const eventsQuery = queryOptions({
  queryKey: keys.overview("events"),
  queryFn: () => execute(refusalsDocument),
  refetchInterval: refreshEvery,
});

export const healthQuery = queryOptions({
  queryKey: keys.overview("health"),
  queryFn: () => execute(healthDocument),
  refetchInterval: refreshEvery,
});
