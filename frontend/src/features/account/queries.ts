import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { AutomationTokensQuery, TokenScope } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { type Expiry, expiryInstant } from "@/lib/expiry";
import { keys } from "@/lib/query-keys";

export type Token = AutomationTokensQuery["automationTokens"][number];

const tokensDocument = graphql(`
  query AutomationTokens {
    automationTokens { id name prefix scopes status createdAt lastUsedAt expiresAt }
  }
`);

const renameDocument = graphql(`
  mutation UpdateViewer($name: String!) {
    updateViewer(name: $name) { user { id name } }
  }
`);

const createDocument = graphql(`
  mutation CreateAutomationToken($input: CreateAutomationTokenInput!) {
    createAutomationToken(input: $input) { secret token { id } }
  }
`);

const revokeDocument = graphql(`
  mutation RevokeAutomationToken($id: ID!) {
    revokeAutomationToken(id: $id) { token { id status } }
  }
`);

export const tokensQuery = queryOptions({
  queryKey: keys.automationTokens,
  queryFn: async () => (await execute(tokensDocument)).automationTokens,
});

export function useRename() {
  const queryClient = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn: (name: string) => execute(renameDocument, { name }),
    onSuccess: () =>
      Promise.all(
        [keys.session, keys.users].map((queryKey) => queryClient.invalidateQueries({ queryKey })),
      ),
  });
}

export interface NewToken {
  name: string;
  scopes: TokenScope[];
  expiry: Expiry;
}

export function useCreateToken() {
  const queryClient = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn: async ({ name, scopes, expiry }: NewToken) => {
      const input = { name: name.trim(), scopes, expiresAt: expiryInstant(expiry) };
      return (await execute(createDocument, { input })).createAutomationToken;
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.automationTokens }),
  });
}

export function useRevokeToken() {
  const queryClient = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn: (id: string) => execute(revokeDocument, { id }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.automationTokens }),
  });
}
