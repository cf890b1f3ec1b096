import type { TypedDocumentString } from "@/gql/graphql";
import { ApiError, toApiError } from "@/lib/errors";
import { requestJson } from "@/lib/http";

interface GraphqlError {
  message?: string;
  extensions?: { code?: unknown; field?: unknown };
}

interface GraphqlBody {
  data?: unknown;
  errors?: GraphqlError[];
}

/** Sends one operation and returns its data; throws an `ApiError` for the first error in the answer. */
export async function execute<TResult, TVariables>(
  document: TypedDocumentString<TResult, TVariables>,
  ...[variables]: TVariables extends Record<string, never> ? [] : [TVariables]
): Promise<TResult> {
  const { body } = await requestJson("POST", "/graphql", {
    query: document.toString(),
    variables: variables ?? {},
  });
  const { data, errors } = body as GraphqlBody;
  const first = errors?.[0];
  if (first) {
    throw toApiError({ message: first.message, ...first.extensions }, "internal");
  }
  if (data === undefined || data === null) {
    const refusal = (body as { error?: Record<string, unknown> }).error;
    throw refusal
      ? toApiError(refusal, "internal")
      : new ApiError("The server answered without data.", "internal");
  }
  return data as TResult;
}
