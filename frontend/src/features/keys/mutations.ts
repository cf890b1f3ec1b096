import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import { execute } from "@/lib/execute";
import { type Expiry, expiryInstant } from "@/lib/expiry";
import { keys } from "@/lib/query-keys";

const createDocument = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { secret apiKey { id name } }
  }
`);

const revokeDocument = graphql(`
  mutation RevokeOwnApiKey($id: ID!) {
    revokeApiKey(id: $id) { apiKey { id status } }
  }
`);

export interface NewKey {
  name: string;
  expiry: Expiry;
}

export function useCreateKey() {
  const queryClient = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn: async ({ name, expiry }: NewKey) => {
      const input = { name: name.trim(), expiresAt: expiryInstant(expiry) };
      return (await execute(createDocument, { input })).createApiKey;
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.apiKeys }),
  });
}

export function useRevokeKey() {
  const queryClient = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn: (id: string) => execute(revokeDocument, { id }),
    onSuccess: () =>
      Promise.all(
        [keys.apiKeys, keys.users].map((queryKey) => queryClient.invalidateQueries({ queryKey })),
      ),
  });
}
