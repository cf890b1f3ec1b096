import { queryOptions } from "@tanstack/react-query";
import type { AuditFilter } from "@/features/audit/filter";
import { graphql } from "@/gql";
import type { AuditLogQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const eventsDocument = graphql(`
  query AuditLog(
    $after: String
    $search: String
    $action: String
    $actor: ID
    $targetKind: String
    $targetId: ID
    $from: DateTime
    $to: DateTime
  ) {
    auditEvents(
      first: 50
      after: $after
      search: $search
      action: $action
      actor: $actor
      targetKind: $targetKind
      targetId: $targetId
      from: $from
      to: $to
    ) {
      edges {
        node {
          id at actorKind actorLabel action targetKind targetId targetLabel
          actor { id }
          changes { field before after }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const actionsDocument = graphql(`
  query AuditActions {
    auditActions
  }
`);

export type AuditEvent = AuditLogQuery["auditEvents"]["edges"][number]["node"];

export const auditLogQuery = (filter: AuditFilter) =>
  pagesQuery<AuditEvent>({
    queryKey: keys.auditLog(filter),
    fetch: async (after) => (await execute(eventsDocument, { ...filter, after })).auditEvents,
    // Others go on changing things while the cache would still be good.
    staleTime: 0,
  });

export const auditActionsQuery = queryOptions({
  queryKey: keys.auditActions,
  queryFn: async () => (await execute(actionsDocument)).auditActions,
});
