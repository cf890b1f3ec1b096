import { queryOptions } from "@tanstack/react-query";
import type { UserListSearch } from "@/features/users/search";
import { graphql } from "@/gql";
import type { UserDetailQuery, UserListQuery, UserPickerQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const userListDocument = graphql(`
  query UserList(
    $after: String
    $search: String
    $role: Role
    $status: UserStatus
    $groupId: ID
    $sort: UserSort!
    $counted: Boolean!
  ) {
    users(
      first: 50
      after: $after
      search: $search
      role: $role
      status: $status
      groupId: $groupId
      sort: $sort
    ) {
      edges { node { id email name role status createdAt lastActiveAt version } }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $counted)
    }
  }
`);

const userDetailDocument = graphql(`
  query UserDetail($id: ID!) {
    user(id: $id) {
      id email name role status version createdAt lastActiveAt invitationExpiresAt
      groups { id name description }
      apiKeys {
        id name prefix status version createdAt lastUsedAt lastUsedClient expiresAt revokedAt
        previousPrefix previousExpiresAt
        models { id slug }
        rateLimit { requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests }
        budget { daily weekly monthly alertThresholds }
      }
    }
  }
`);

const userSessionsDocument = graphql(`
  query UserSessions($id: ID!) {
    user(id: $id) { id sessions { id client address lastSeenAt } }
  }
`);

const userPickerDocument = graphql(`
  query UserPicker($search: String!, $after: String) {
    users(first: 20, after: $after, search: $search) {
      edges { node { id email name status groups { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type ListedUser = UserListQuery["users"]["edges"][number]["node"];
export type UserDetail = NonNullable<UserDetailQuery["user"]>;
export type UserApiKey = UserDetail["apiKeys"][number];
export type PickedUser = UserPickerQuery["users"]["edges"][number]["node"];

export const userSessionsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.userSessions(id),
    queryFn: async () => (await execute(userSessionsDocument, { id })).user?.sessions ?? [],
  });

export const userListQuery = ({ q, role, status, group, sort = "NAME_ASC" }: UserListSearch) =>
  pagesQuery<ListedUser>({
    queryKey: keys.userList({ q, role, status, group, sort }),
    fetch: async (after) => {
      const filters = {
        search: q ?? null,
        role: role ?? null,
        status: status ?? null,
        groupId: group ?? null,
        sort,
      };
      // Counting reads every match, so only the first page asks for it.
      return (await execute(userListDocument, { ...filters, after, counted: after === null }))
        .users;
    },
  });

/** Null when there is no such user, which is an answer and not a failure. */
export const userDetailQuery = (id: string) =>
  queryOptions({
    queryKey: keys.user(id),
    queryFn: async () => (await execute(userDetailDocument, { id })).user ?? null,
  });

export const userPickerQuery = (search: string) =>
  pagesQuery<PickedUser>({
    queryKey: keys.userPicker(search),
    fetch: async (after) => (await execute(userPickerDocument, { search, after })).users,
  });

/** How people are called: those who were only invited have no name yet. */
export const userName = (user: { name: string; email: string }): string => user.name || user.email;
