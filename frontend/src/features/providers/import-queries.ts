import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Provider } from "@/features/providers/queries";
import { graphql } from "@/gql";
import type {
  ImportProviderModelsInput,
  ListProviderOffersMutation,
  PriceCatalogQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const catalogDocument = graphql(`
  query PriceCatalog($kind: ProviderKind!) {
    priceCatalog(kind: $kind) {
      publishedOn refreshed
      entries {
        model kind contextWindow maxOutputTokens capabilities source asOf
        prices {
          input cacheRead cacheWrite5m cacheWrite1h output
          longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
        }
      }
    }
  }
`);

const offersDocument = graphql(`
  mutation ListProviderOffers($id: ID!) {
    listProviderOffers(id: $id) {
      ok message
      offers {
        name kind contextWindow maxOutputTokens capabilities
        prices {
          input cacheRead cacheWrite5m cacheWrite1h output
          longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
        }
      }
    }
  }
`);

const importDocument = graphql(`
  mutation ImportProviderModels($input: ImportProviderModelsInput!) {
    importProviderModels(input: $input) { providerModels { id name } skipped }
  }
`);

export type Entry = PriceCatalogQuery["priceCatalog"]["entries"][number];
export type Offers = ListProviderOffersMutation["listProviderOffers"];
export type Offer = Omit<Offers["offers"][number], "__typename">;

export const priceCatalogQuery = (kind: Provider["kind"]) =>
  queryOptions({
    queryKey: keys.priceCatalog(kind),
    queryFn: async () => (await execute(catalogDocument, { kind })).priceCatalog,
  });

export const useListOffers = () =>
  useMutation({
    mutationFn: async (id: string) => (await execute(offersDocument, { id })).listProviderOffers,
    meta: { shownInPlace: true },
  });

export function useImportModels() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: ImportProviderModelsInput) =>
      (await execute(importDocument, { input })).importProviderModels,
    meta: { shownInPlace: true },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.providers }),
  });
}

export const offerOf = ({ model, kind, prices, ...rest }: Entry): Offer => ({
  name: model,
  kind,
  prices,
  contextWindow: rest.contextWindow,
  maxOutputTokens: rest.maxOutputTokens,
  capabilities: rest.capabilities,
});
