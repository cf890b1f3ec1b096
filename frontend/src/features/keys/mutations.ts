import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { CreateApiKeyInput, RotateApiKeyMutation, UpdateApiKeyInput } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const createDocument = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { secret apiKey { id name } }
  }
`);

const updateDocument = graphql(`
  mutation UpdateApiKey($input: UpdateApiKeyInput!) {
    updateApiKey(input: $input) { apiKey { id } }
  }
`);

const rotateDocument = graphql(`
  mutation RotateApiKey($id: ID!, $overlapHours: Int!) {
    rotateApiKey(id: $id, overlapHours: $overlapHours) {
      secret
      apiKey { id prefix previousPrefix previousExpiresAt }
    }
  }
`);

const revokeDocument = graphql(`
  mutation RevokeApiKey($id: ID!) {
    revokeApiKey(id: $id) { apiKey { id status } }
  }
`);

export type RotatedKey = RotateApiKeyMutation["rotateApiKey"];

/** Own keys show in their list, anyone's on the page of their owner. Each of these shows its refusal itself. */
function useKeyMutation<V, R>(mutationFn: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn,
    onSuccess: () =>
      Promise.all(
        [keys.apiKeys, keys.users].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
}

export const useCreateKey = () =>
  useKeyMutation(
    async (input: CreateApiKeyInput) => (await execute(createDocument, { input })).createApiKey,
  );

export const useUpdateKey = () =>
  useKeyMutation((input: UpdateApiKeyInput) => execute(updateDocument, { input }));

export const useRotateKey = () =>
  useKeyMutation(
    async (variables: { id: string; overlapHours: number }) =>
      (await execute(rotateDocument, variables)).rotateApiKey,
  );

export const useRevokeKey = () => useKeyMutation((id: string) => execute(revokeDocument, { id }));
