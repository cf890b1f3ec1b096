import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { CreateModelInput, UpdateModelInput } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { forgetLists } from "@/lib/forget-lists";
import { keys } from "@/lib/query-keys";
import { refreshIfStale } from "@/lib/refresh-stale";

const createModelDocument = graphql(`
  mutation CreateModel($input: CreateModelInput!) {
    createModel(input: $input) { model { id slug } }
  }
`);

const updateModelDocument = graphql(`
  mutation UpdateModel($input: UpdateModelInput!) {
    updateModel(input: $input) { model { id slug } }
  }
`);

const deleteModelDocument = graphql(`
  mutation DeleteModel($id: ID!) {
    deleteModel(id: $id) { id }
  }
`);

// Providers show what they stand behind, and policies name the models that they let through.
const touched = [keys.models, keys.providers, keys.policies];

function useModelMutation<Variables, Result>(
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

export const useCreateModel = () =>
  useModelMutation(
    async (input: CreateModelInput) =>
      (await execute(createModelDocument, { input })).createModel.model,
  );

export const useUpdateModel = () =>
  useModelMutation((input: UpdateModelInput) => execute(updateModelDocument, { input }));

/** What is on screen is not fetched again: the page of the deleted model is about to be left. */
export function useDeleteModel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => execute(deleteModelDocument, { id }),
    meta: { shownInPlace: true },
    onSuccess: () => {
      forgetLists(client, keys.models);
      return Promise.all(
        touched.map((queryKey) => client.invalidateQueries({ queryKey, refetchType: "none" })),
      );
    },
  });
}
