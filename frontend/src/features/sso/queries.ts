import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  SetSsoMappingInput,
  SingleSignOnQuery,
  UpdateSingleSignOnInput,
  UserSignInQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const singleSignOnDocument = graphql(`
  query SingleSignOn {
    singleSignOn {
      enabled issuer clientId clientSecretUpdatedAt label scopes groupsClaim createsPeople domains
      membersUsePasswords trustsEmail adminValues redirectUrl version
      mappings { value groupId group { id name } }
    }
  }
`);

const updateDocument = graphql(`
  mutation UpdateSingleSignOn($input: UpdateSingleSignOnInput!) {
    updateSingleSignOn(input: $input) { singleSignOn { version } }
  }
`);

const setMappingDocument = graphql(`
  mutation SetSsoMapping($input: SetSsoMappingInput!) {
    setSsoMapping(input: $input) { singleSignOn { version } }
  }
`);

const testDocument = graphql(`
  mutation TestSingleSignOn {
    testSingleSignOn { problems notes }
  }
`);

const userSignInDocument = graphql(`
  query UserSignIn($id: ID!) {
    user(id: $id) {
      id
      lastSignIn { at way }
      identities { id issuer subject email linkedAt lastUsedAt }
    }
  }
`);

const unlinkDocument = graphql(`
  mutation UnlinkIdentity($id: ID!) {
    unlinkIdentity(id: $id) { user { id } }
  }
`);

export type SingleSignOn = SingleSignOnQuery["singleSignOn"];
export type UserSignIn = NonNullable<UserSignInQuery["user"]>;
export type Identity = UserSignIn["identities"][number];

export const singleSignOnQuery = queryOptions({
  queryKey: keys.singleSignOn,
  queryFn: async () => (await execute(singleSignOnDocument)).singleSignOn,
});

/** Null when there is no such user any more. */
export const userSignInQuery = (id: string) =>
  queryOptions({
    queryKey: keys.userSignIn(id),
    queryFn: async () => (await execute(userSignInDocument, { id })).user ?? null,
  });

/** Refusals are shown in the dialog that asked. */
function useChange<V>(mutationFn: (input: V) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace: true },
    onSuccess: () =>
      Promise.all(
        [keys.singleSignOn, keys.entryWays].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

export const useUpdateSingleSignOn = () =>
  useChange((input: UpdateSingleSignOnInput) => execute(updateDocument, { input }));

export const useSetMapping = () =>
  useChange((input: SetSsoMappingInput) => execute(setMappingDocument, { input }));

export const useTestSingleSignOn = () =>
  useMutation({
    mutationFn: async () => (await execute(testDocument)).testSingleSignOn,
  });

export function useUnlinkIdentity() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => execute(unlinkDocument, { id }),
    meta: { shownInPlace: true },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.users }),
  });
}
