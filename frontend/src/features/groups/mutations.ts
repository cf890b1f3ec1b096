import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { CreateGroupInput, UpdateGroupInput } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { forgetLists } from "@/lib/forget-lists";
import { keys } from "@/lib/query-keys";

const createGroupDocument = graphql(`
  mutation CreateGroup($input: CreateGroupInput!) {
    createGroup(input: $input) { group { id } }
  }
`);

const updateGroupDocument = graphql(`
  mutation UpdateGroup($input: UpdateGroupInput!) {
    updateGroup(input: $input) { group { id } }
  }
`);

const deleteGroupDocument = graphql(`
  mutation DeleteGroup($id: ID!) {
    deleteGroup(id: $id) { id }
  }
`);

const addGroupMembersDocument = graphql(`
  mutation AddGroupMembers($input: GroupMembersInput!) {
    addGroupMembers(input: $input) { group { id } }
  }
`);

const removeGroupMembersDocument = graphql(`
  mutation RemoveGroupMembers($input: GroupMembersInput!) {
    removeGroupMembers(input: $input) { group { id } }
  }
`);

const addMembers = (groupId: string, userIds: string[]) =>
  execute(addGroupMembersDocument, { input: { groupId, userIds } });

const removeMembers = (groupId: string, userIds: string[]) =>
  execute(removeGroupMembersDocument, { input: { groupId, userIds } });

function useGroupMutation<V, R>(mutationFn: (variables: V) => Promise<R>, shownInPlace = true) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace },
    onSuccess: () =>
      Promise.all(
        [keys.groups, keys.users, keys.policies].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

export const useCreateGroup = () =>
  useGroupMutation(
    async (input: CreateGroupInput) =>
      (await execute(createGroupDocument, { input })).createGroup.group.id,
  );

export const useUpdateGroup = () =>
  useGroupMutation((input: UpdateGroupInput) => execute(updateGroupDocument, { input }));

interface Membership {
  groupId: string;
  userId: string;
}

/** A button in a list starts it, so that a refusal has no better place than a notice. */
export const useAddMember = () =>
  useGroupMutation(({ groupId, userId }: Membership) => addMembers(groupId, [userId]), false);

export const useRemoveMember = () =>
  useGroupMutation(({ groupId, userId }: Membership) => removeMembers(groupId, [userId]));

export function useDeleteGroup(leave: () => Promise<void>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => execute(deleteGroupDocument, { id }),
    meta: { shownInPlace: true },
    onSuccess: async (_data, id) => {
      forgetLists(client, keys.groups);
      await leave();
      client.removeQueries({ queryKey: keys.group(id) });
      client.removeQueries({ queryKey: keys.groupPolicy(id) });
      await Promise.all(
        [keys.groups, keys.users, keys.policies].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
}
