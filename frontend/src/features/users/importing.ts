import { useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { ImportUsersInput, ImportUsersMutation } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const importUsersDocument = graphql(`
  mutation ImportUsers($input: ImportUsersInput!) {
    importUsers(input: $input) {
      plan
      lines { line email action inviteUrl changes { field before after } error { message } }
    }
  }
`);

export type Imported = ImportUsersMutation["importUsers"];
export type ImportedLine = Imported["lines"][number];

/** More than the server takes in one request. */
export const largestFile = 500_000;

export function useImportUsers() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: ImportUsersInput) =>
      (await execute(importUsersDocument, { input })).importUsers,
    meta: { shownInPlace: true },
    onSuccess: async (_data, { dryRun }) => {
      if (dryRun) return;
      await Promise.all(
        [keys.users, keys.groups, keys.policies].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
}
