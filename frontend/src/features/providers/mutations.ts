import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  CreateProviderInput,
  CreateProviderModelInput,
  SchedulePricesInput,
  UpdateProviderInput,
  UpdateProviderModelInput,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { forgetLists } from "@/lib/forget-lists";
import { keys } from "@/lib/query-keys";
import { refreshIfStale } from "@/lib/refresh-stale";

const createDocument = graphql(`
  mutation CreateProvider($input: CreateProviderInput!) {
    createProvider(input: $input) { provider { id name } }
  }
`);

const updateDocument = graphql(`
  mutation UpdateProvider($input: UpdateProviderInput!) {
    updateProvider(input: $input) { provider { id name } }
  }
`);

const deleteDocument = graphql(`
  mutation DeleteProvider($id: ID!) {
    deleteProvider(id: $id) { id }
  }
`);

const testDocument = graphql(`
  mutation TestProvider($id: ID!) {
    testProvider(id: $id) { ok message latencyMs }
  }
`);

const createModelDocument = graphql(`
  mutation CreateProviderModel($input: CreateProviderModelInput!) {
    createProviderModel(input: $input) { providerModel { id name } }
  }
`);

const updateModelDocument = graphql(`
  mutation UpdateProviderModel($input: UpdateProviderModelInput!) {
    updateProviderModel(input: $input) { providerModel { id name } }
  }
`);

const scheduleDocument = graphql(`
  mutation SchedulePrices($input: SchedulePricesInput!) {
    schedulePrices(input: $input) { providerModel { id name } }
  }
`);

const withdrawDocument = graphql(`
  mutation WithdrawPrices($id: ID!) {
    withdrawPrices(id: $id) { providerModel { id name } }
  }
`);

const deleteModelDocument = graphql(`
  mutation DeleteProviderModel($id: ID!) {
    deleteProviderModel(id: $id) { id }
  }
`);

/** What stands behind a model decides whether it is served, so models and policies are stale too. */
const touched = [keys.providers, keys.models, keys.policies];

function useCatalogMutation<Variables, Result>(
  mutationFn: (variables: Variables) => Promise<Result>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace: true },
    onSuccess: () => Promise.all(touched.map((queryKey) => client.invalidateQueries({ queryKey }))),
    onError: refreshIfStale(client, touched),
  });
}

export const useCreateProvider = () =>
  useCatalogMutation(
    async (input: CreateProviderInput) =>
      (await execute(createDocument, { input })).createProvider.provider,
  );

export const useUpdateProvider = () =>
  useCatalogMutation((input: UpdateProviderInput) => execute(updateDocument, { input }));

/** Its cache entry goes only when the page that shows it is left, so that the page does not flash "missing". */
export function useDeleteProvider() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => execute(deleteDocument, { id }),
    meta: { shownInPlace: true },
    onSuccess: () => {
      forgetLists(client, keys.providers);
      return Promise.all([
        client.invalidateQueries({ queryKey: keys.providers, refetchType: "none" }),
        client.invalidateQueries({ queryKey: keys.models }),
        client.invalidateQueries({ queryKey: keys.policies }),
      ]);
    },
  });
}

export const useTestProvider = () =>
  useMutation({
    mutationFn: async (id: string) => (await execute(testDocument, { id })).testProvider,
    meta: { shownInPlace: true },
  });

export const useCreateProviderModel = () =>
  useCatalogMutation((input: CreateProviderModelInput) => execute(createModelDocument, { input }));

export const useUpdateProviderModel = () =>
  useCatalogMutation((input: UpdateProviderModelInput) => execute(updateModelDocument, { input }));

export const useSchedulePrices = () =>
  useCatalogMutation((input: SchedulePricesInput) => execute(scheduleDocument, { input }));

export const useWithdrawPrices = () =>
  useCatalogMutation((id: string) => execute(withdrawDocument, { id }));

export const useDeleteProviderModel = () =>
  useCatalogMutation((id: string) => execute(deleteModelDocument, { id }));
