import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const document = graphql(`
  query Palette($search: String!) {
    users(first: 5, search: $search) { edges { node { id name email } } }
    groups(first: 5, search: $search) { edges { node { id name description } } }
    models(first: 5, search: $search) { edges { node { id slug displayName } } }
  }
`);

/** People, groups and models that match, for administrators. */
export const paletteQuery = (search: string) =>
  queryOptions({
    queryKey: keys.palette(search),
    queryFn: () => execute(document, { search }),
    enabled: search !== "",
    placeholderData: keepPreviousData,
  });
