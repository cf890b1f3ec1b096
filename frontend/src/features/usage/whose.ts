import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const searchDocument = graphql(`
  query UsageWhose($search: String) {
    users(first: 10, search: $search) { edges { node { id name email } } }
    groups(first: 10, search: $search) { edges { node { id name } } }
  }
`);

const userDocument = graphql(`
  query UsageUser($id: ID!) {
    user(id: $id) { id name email }
  }
`);

const groupDocument = graphql(`
  query UsageGroup($id: ID!) {
    group(id: $id) { id name }
  }
`);

const gone = "Deleted";

/** Users and groups that match, as choices. */
export const whoseQuery = (search: string) =>
  queryOptions({
    queryKey: keys.usageWhose(search),
    queryFn: async () => {
      const { users, groups } = await execute(searchDocument, { search: search || null });
      return [
        {
          label: "Users",
          choices: users.edges.map(({ node: { id, name, email } }) => ({
            value: `user:${id}`,
            name: name || email,
            email: name ? email : null,
          })),
        },
        {
          label: "Groups",
          choices: groups.edges.map(({ node: { id, name } }) => ({
            value: `group:${id}`,
            name,
            email: null,
          })),
        },
      ].filter(({ choices }) => choices.length > 0);
    },
    placeholderData: keepPreviousData,
  });

interface Who {
  user: string | undefined;
  group: string | undefined;
}

/** The name of whom an address names, or null for everyone. */
export const whoQuery = ({ user, group }: Who) =>
  queryOptions({
    queryKey: keys.usageWho(user ?? null, group ?? null),
    queryFn: async (): Promise<string | null> => {
      if (user !== undefined) {
        const { user: found } = await execute(userDocument, { id: user });
        return found ? found.name || found.email : gone;
      }
      if (group === undefined) return null;
      return (await execute(groupDocument, { id: group })).group?.name ?? gone;
    },
  });
