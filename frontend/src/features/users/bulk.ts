import type { ListedUser } from "@/features/users/queries";
import type { UserListSearch } from "@/features/users/search";
import { graphql } from "@/gql";
import type { SuspendUsersMutation, UserSelectionInput } from "@/gql/graphql";
import { execute } from "@/lib/execute";

const suspendUsersDocument = graphql(`
  mutation SuspendUsers($users: UserSelectionInput!) {
    suspendUsers(users: $users) { results { userId label outcome error { message } } }
  }
`);

const reactivateUsersDocument = graphql(`
  mutation ReactivateUsers($users: UserSelectionInput!) {
    reactivateUsers(users: $users) { results { userId label outcome error { message } } }
  }
`);

const deleteUsersDocument = graphql(`
  mutation DeleteUsers($users: UserSelectionInput!) {
    deleteUsers(users: $users) { results { userId label outcome error { message } } }
  }
`);

const addUsersToGroupDocument = graphql(`
  mutation AddUsersToGroup($groupId: ID!, $users: UserSelectionInput!) {
    addUsersToGroup(groupId: $groupId, users: $users) { results { userId label outcome error { message } } }
  }
`);

const removeUsersFromGroupDocument = graphql(`
  mutation RemoveUsersFromGroup($groupId: ID!, $users: UserSelectionInput!) {
    removeUsersFromGroup(groupId: $groupId, users: $users) { results { userId label outcome error { message } } }
  }
`);

const grantModelsToUsersDocument = graphql(`
  mutation GrantModelsToUsers($modelIds: [ID!]!, $users: UserSelectionInput!) {
    grantModelsToUsers(modelIds: $modelIds, users: $users) { results { userId label outcome error { message } } }
  }
`);

export type BulkResult = SuspendUsersMutation["suspendUsers"]["results"][number];

/** Rows that were ticked, or everybody who matches the list's search and filters. */
export type Selected =
  | { kind: "chosen"; users: ListedUser[] }
  | { kind: "matching"; search: UserListSearch; count: number };

/** The server takes no more in one go. */
export const peopleAtOnce = 500;

export const countOf = (selected: Selected): number =>
  selected.kind === "chosen" ? selected.users.length : selected.count;

export function toSelection(selected: Selected): UserSelectionInput {
  if (selected.kind === "matching") {
    const { q, role, status, group } = selected.search;
    return {
      matching: {
        expectedCount: selected.count,
        search: q ?? null,
        role: role ?? null,
        status: status ?? null,
        groupId: group ?? null,
      },
    };
  }
  return {
    chosen: selected.users.map(({ id, version }) => ({ id, expectedVersion: version })),
  };
}

export const suspendUsers = async (users: UserSelectionInput) =>
  (await execute(suspendUsersDocument, { users })).suspendUsers.results;

export const reactivateUsers = async (users: UserSelectionInput) =>
  (await execute(reactivateUsersDocument, { users })).reactivateUsers.results;

export const deleteUsers = async (users: UserSelectionInput) =>
  (await execute(deleteUsersDocument, { users })).deleteUsers.results;

export const addUsersToGroup = async (groupId: string, users: UserSelectionInput) =>
  (await execute(addUsersToGroupDocument, { groupId, users })).addUsersToGroup.results;

export const removeUsersFromGroup = async (groupId: string, users: UserSelectionInput) =>
  (await execute(removeUsersFromGroupDocument, { groupId, users })).removeUsersFromGroup.results;

export const grantModelsToUsers = async (modelIds: string[], users: UserSelectionInput) =>
  (await execute(grantModelsToUsersDocument, { modelIds, users })).grantModelsToUsers.results;
