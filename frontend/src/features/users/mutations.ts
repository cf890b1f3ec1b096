import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { UserDetail } from "@/features/users/queries";
import { graphql } from "@/gql";
import type { InviteUsersInput, UpdateUserInput } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { forgetLists } from "@/lib/forget-lists";
import { keys } from "@/lib/query-keys";
import { refreshIfStale } from "@/lib/refresh-stale";

const updateUserDocument = graphql(`
  mutation UpdateUser($input: UpdateUserInput!) {
    updateUser(input: $input) { user { id } }
  }
`);

const suspendUserDocument = graphql(`
  mutation SuspendUser($id: ID!, $expectedVersion: Int) {
    suspendUser(id: $id, expectedVersion: $expectedVersion) { user { id } }
  }
`);

const reactivateUserDocument = graphql(`
  mutation ReactivateUser($id: ID!, $expectedVersion: Int) {
    reactivateUser(id: $id, expectedVersion: $expectedVersion) { user { id } }
  }
`);

const deleteUserDocument = graphql(`
  mutation DeleteUser($id: ID!) {
    deleteUser(id: $id) { id }
  }
`);

const inviteUsersDocument = graphql(`
  mutation InviteUsers($input: InviteUsersInput!) {
    inviteUsers(input: $input) {
      results { email inviteUrl user { id } error { code message } }
    }
  }
`);

const resendInvitationDocument = graphql(`
  mutation ResendInvitation($userId: ID!) {
    resendInvitation(userId: $userId) { inviteUrl }
  }
`);

const passwordLinkDocument = graphql(`
  mutation CreatePasswordResetLink($userId: ID!) {
    createPasswordResetLink(userId: $userId) { resetUrl }
  }
`);

const endSessionsDocument = graphql(`
  mutation EndUserSessions($userId: ID!) {
    endUserSessions(userId: $userId) { count }
  }
`);

const withdrawInvitationDocument = graphql(`
  mutation WithdrawInvitation($userId: ID!) {
    withdrawInvitation(userId: $userId) { id }
  }
`);

const touched = [keys.users, keys.groups, keys.policies];

/** Each of these is confirmed in a dialog, which shows the refusal itself. */
function useUserMutation<V, R>(mutationFn: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace: true },
    onSuccess: () => Promise.all(touched.map((queryKey) => client.invalidateQueries({ queryKey }))),
    onError: refreshIfStale(client, touched),
  });
}

export const useUpdateUser = () =>
  useUserMutation((input: UpdateUserInput) => execute(updateUserDocument, { input }));

/** A user as on screen: it is refused when somebody changed the account since. */
type ShownUser = Pick<UserDetail, "id" | "version">;

export const useSuspendUser = () =>
  useUserMutation(({ id, version }: ShownUser) =>
    execute(suspendUserDocument, { id, expectedVersion: version }),
  );

export const useReactivateUser = () =>
  useUserMutation(({ id, version }: ShownUser) =>
    execute(reactivateUserDocument, { id, expectedVersion: version }),
  );

export const useResendInvitation = () =>
  useUserMutation(
    async (userId: string) =>
      (await execute(resendInvitationDocument, { userId })).resendInvitation.inviteUrl,
  );

/** The link, or null when it is sent by mail. */
export const useCreatePasswordLink = () =>
  useUserMutation(
    async (userId: string) =>
      (await execute(passwordLinkDocument, { userId })).createPasswordResetLink.resetUrl ?? null,
  );

export const useEndUserSessions = () =>
  useUserMutation(
    async (userId: string) =>
      (await execute(endSessionsDocument, { userId })).endUserSessions.count,
  );

export const useInviteUsers = () =>
  useUserMutation(
    async (input: InviteUsersInput) =>
      (await execute(inviteUsersDocument, { input })).inviteUsers.results,
  );

/** What is gone must not be asked for again, so its page goes to the list before the lists are read anew. */
function useRemoval(mutationFn: (id: string) => Promise<unknown>, leave: () => Promise<void>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace: true },
    onSuccess: async (_data, id) => {
      forgetLists(client, keys.users);
      await leave();
      client.removeQueries({ queryKey: keys.user(id) });
      client.removeQueries({ queryKey: keys.policy(id) });
      await Promise.all(
        [keys.users, keys.groups].map((queryKey) => client.invalidateQueries({ queryKey })),
      );
    },
  });
}

export const useDeleteUser = (leave: () => Promise<void>) =>
  useRemoval((id) => execute(deleteUserDocument, { id }), leave);

export const useWithdrawInvitation = (leave: () => Promise<void>) =>
  useRemoval((userId) => execute(withdrawInvitationDocument, { userId }), leave);
