import { queryOptions, useMutation } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { DeviceSignInQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

export type DeviceSignIn = DeviceSignInQuery["deviceSignIn"];

const waitingDocument = graphql(`
  query DeviceSignIn($userCode: String!) {
    deviceSignIn(userCode: $userCode) { userCode program address createdAt expiresAt }
  }
`);

const answerDocument = graphql(`
  mutation AnswerDeviceSignIn($userCode: String!, $approve: Boolean!) {
    answerDeviceSignIn(userCode: $userCode, approve: $approve) { signIn { userCode } }
  }
`);

/** Asked once: what it answers is over as soon as it is used. */
export const deviceSignInQuery = (userCode: string) =>
  queryOptions({
    queryKey: keys.deviceSignIn(userCode),
    queryFn: async () => (await execute(waitingDocument, { userCode })).deviceSignIn,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/** The page shows a refusal itself. */
export const useAnswerDeviceSignIn = () =>
  useMutation({
    meta: { shownInPlace: true },
    mutationFn: (variables: { userCode: string; approve: boolean }) =>
      execute(answerDocument, variables),
  });
