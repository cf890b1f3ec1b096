import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  GroupDetailQuery,
  GroupListQuery,
  GroupMembersQuery,
  GroupPickerQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { type Page, pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const groupListDocument = graphql(`
  query GroupList($after: String, $search: String, $counted: Boolean!) {
    groups(first: 50, after: $after, search: $search) {
      edges { node { id name description memberCount createdAt } }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $counted)
    }
  }
`);

const groupDetailDocument = graphql(`
  query GroupDetail($id: ID!) {
    group(id: $id) { id name description version createdAt memberCount }
  }
`);

const groupMembersDocument = graphql(`
  query GroupMembers($id: ID!, $first: Int!, $after: String, $search: String) {
    group(id: $id) {
      members(first: $first, after: $after, search: $search) {
        edges { node { id email name role status lastActiveAt } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

const groupPickerDocument = graphql(`
  query GroupPicker($search: String!, $after: String) {
    groups(first: 20, after: $after, search: $search) {
      edges { node { id name description } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type ListedGroup = GroupListQuery["groups"]["edges"][number]["node"];
export type GroupDetail = NonNullable<GroupDetailQuery["group"]>;
export type GroupMember = NonNullable<
  GroupMembersQuery["group"]
>["members"]["edges"][number]["node"];
export type PickedGroup = GroupPickerQuery["groups"]["edges"][number]["node"];

export const groupListQuery = (search: string | undefined) =>
  pagesQuery<ListedGroup>({
    queryKey: keys.groupList({ search }),
    fetch: async (after) =>
      (await execute(groupListDocument, { search: search ?? null, after, counted: after === null }))
        .groups,
  });

/** Null when there is no such group, which is an answer and not a failure. */
export const groupDetailQuery = (id: string) =>
  queryOptions({
    queryKey: keys.group(id),
    queryFn: async () => (await execute(groupDetailDocument, { id })).group ?? null,
  });

const nobody: Page<GroupMember> = { edges: [], pageInfo: { hasNextPage: false } };

export const groupMembersQuery = (id: string, search: string) =>
  pagesQuery<GroupMember>({
    queryKey: keys.groupMembers(id, search),
    fetch: async (after) => {
      // Few at first: a group's policy stands below its members.
      const first = after === null ? 10 : 50;
      return (
        (await execute(groupMembersDocument, { id, first, search, after })).group?.members ?? nobody
      );
    },
  });

export const groupPickerQuery = (search: string) =>
  pagesQuery<PickedGroup>({
    queryKey: keys.groupPicker(search),
    fetch: async (after) => (await execute(groupPickerDocument, { search, after })).groups,
  });
