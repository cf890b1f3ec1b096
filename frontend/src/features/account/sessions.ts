import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { ChangePasswordInput, OwnSessionsQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

export type OwnSession = OwnSessionsQuery["sessions"][number];

const sessionsDocument = graphql(`
  query OwnSessions {
    sessions { id client address createdAt lastSeenAt expiresAt current }
  }
`);

const revokeDocument = graphql(`
  mutation RevokeSession($id: ID!) {
    revokeSession(id: $id) { id }
  }
`);

const endOthersDocument = graphql(`
  mutation EndOtherSessions {
    endOtherSessions { count }
  }
`);

const changePasswordDocument = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) { user { id } }
  }
`);

export const sessionsQuery = queryOptions({
  queryKey: keys.ownSessions,
  queryFn: async () => (await execute(sessionsDocument)).sessions,
});

/** Each of these is confirmed or sent from a form, which shows the refusal itself. */
function useEnding<V, R>(mutationFn: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace: true },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.ownSessions }),
  });
}

export const useRevokeSession = () => useEnding((id: string) => execute(revokeDocument, { id }));

export const useEndOtherSessions = () =>
  useEnding(async () => (await execute(endOthersDocument)).endOtherSessions.count);

/** Ends all other sessions, too. */
export const useChangePassword = () =>
  useEnding((input: ChangePasswordInput) => execute(changePasswordDocument, { input }));
