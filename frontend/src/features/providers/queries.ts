import { queryOptions } from "@tanstack/react-query";
import type { ProviderListSearch } from "@/features/providers/search";
import { graphql } from "@/gql";
import type { ProviderDetailQuery, ProviderKindsQuery, ProviderListQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const providerListDocument = graphql(`
  query ProviderList($after: String, $search: String, $counted: Boolean!) {
    providers(first: 50, after: $after, search: $search) {
      edges { node { id name kind baseUrl organization region enabled credentialPrefix createdAt } }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $counted)
    }
  }
`);

const providerDetailDocument = graphql(`
  query ProviderDetail($id: ID!) {
    provider(id: $id) {
      id name kind baseUrl organization region apiVersion priceMultiplier plannedMultipliers { startsAt multiplier } headerNames servesResponses enabled
      credentialPrefix credentialUpdatedAt createdAt version
      models {
        id name kind free priced obstacle contextWindow maxOutputTokens capabilities version
        prices {
          input cacheRead cacheWrite5m cacheWrite1h output
          longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
        }
        catalogEntry {
          source asOf
          prices {
            input cacheRead cacheWrite5m cacheWrite1h output
            longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
          }
        }
        own
        charged {
          input cacheRead cacheWrite5m cacheWrite1h output
          longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
        }
        priceLists {
          id startsAt status free own multiplier derived
          charged {
            input cacheRead cacheWrite5m cacheWrite1h output
            longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
          }
          prices {
            input cacheRead cacheWrite5m cacheWrite1h output
            longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
          }
        }
        usedBy { id slug status backends { providerModel { id provider { id } } } }
      }
    }
  }
`);

const providerKindsDocument = graphql(`
  query ProviderKinds {
    providerKinds {
      kind label defaultBaseUrl baseUrlRequired credentialRequired takesOrganization takesRegion
      takesApiVersion takesHeaders takesAccessKeys choosesResponses
    }
  }
`);

export type ListedProvider = ProviderListQuery["providers"]["edges"][number]["node"];
export type Provider = NonNullable<ProviderDetailQuery["provider"]>;
export type ProviderModel = Provider["models"][number];
export type PriceList = ProviderModel["priceLists"][number];
export type KindInfo = ProviderKindsQuery["providerKinds"][number];

export const providerListQuery = ({ q }: ProviderListSearch) =>
  pagesQuery<ListedProvider>({
    queryKey: keys.providerList({ q }),
    fetch: async (after) => {
      const variables = { search: q ?? null, after, counted: after === null };
      return (await execute(providerListDocument, variables)).providers;
    },
  });

/** Null when there is no such provider, which is an answer and not a failure. */
export const providerDetailQuery = (id: string) =>
  queryOptions({
    queryKey: keys.provider(id),
    queryFn: async () => (await execute(providerDetailDocument, { id })).provider ?? null,
  });

/** What each kind needs; it changes with the server's version alone. */
export const providerKindsQuery = queryOptions({
  queryKey: keys.providerKinds,
  queryFn: async () => (await execute(providerKindsDocument)).providerKinds,
  staleTime: Number.POSITIVE_INFINITY,
});
