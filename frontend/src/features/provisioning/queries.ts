import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { ProvisioningQuery, RotateScimTokenMutation } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

export type ScimToken = ProvisioningQuery["provisioning"]["tokens"][number];
export type RotatedToken = RotateScimTokenMutation["rotateScimToken"];

const provisioningDocument = graphql(`
  query Provisioning {
    provisioning {
      baseUrl
      tokens {
        id name prefix status createdAt createdBy lastUsedAt previousPrefix previousExpiresAt
      }
    }
  }
`);

const createDocument = graphql(`
  mutation CreateScimToken($name: String!) {
    createScimToken(name: $name) { secret token { id } }
  }
`);

const rotateDocument = graphql(`
  mutation RotateScimToken($id: ID!, $overlapHours: Int!) {
    rotateScimToken(id: $id, overlapHours: $overlapHours) {
      secret
      token { id prefix previousPrefix previousExpiresAt }
    }
  }
`);

const revokeDocument = graphql(`
  mutation RevokeScimToken($id: ID!) {
    revokeScimToken(id: $id) { token { id status } }
  }
`);

export const provisioningQuery = queryOptions({
  queryKey: keys.provisioning,
  queryFn: async () => (await execute(provisioningDocument)).provisioning,
});

function useChange<Input, Made>(change: (input: Input) => Promise<Made>) {
  const queryClient = useQueryClient();
  return useMutation({
    meta: { shownInPlace: true },
    mutationFn: change,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.provisioning }),
  });
}

export const useCreateScimToken = () =>
  useChange(async (name: string) => (await execute(createDocument, { name })).createScimToken);

export const useRotateScimToken = () =>
  useChange(
    async (input: { id: string; overlapHours: number }) =>
      (await execute(rotateDocument, input)).rotateScimToken,
  );

export const useRevokeScimToken = () => useChange((id: string) => execute(revokeDocument, { id }));
