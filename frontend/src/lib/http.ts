import { ApiError, toApiError } from "@/lib/errors";

const unreachable = "The server can't be reached. Check your connection and try again.";
const unreadable = "The server gave an answer that the console can't read. Try again in a moment.";

export interface JsonResponse {
  status: number;
  ok: boolean;
  body: unknown;
}

/** One request to our own server: same origin, the session cookie, and the header that forms can't forge. */
export async function requestJson(
  method: "GET" | "POST",
  path: string,
  payload?: unknown,
): Promise<JsonResponse> {
  const response = await send(method, path, payload);
  try {
    return { status: response.status, ok: response.ok, body: await response.json() };
  } catch {
    throw new ApiError(unreadable, "unavailable");
  }
}

/** The same for routes outside GraphQL, where a refusal is a status; throws it as an `ApiError`. */
export async function requestOk(
  method: "GET" | "POST",
  path: string,
  payload?: unknown,
): Promise<unknown> {
  const { ok, body } = await requestJson(method, path, payload);
  if (!ok) throw toApiError((body as { error?: object }).error, "internal");
  return body;
}

async function send(method: string, path: string, payload: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json", "x-sluicegate-csrf": "1" };
  if (payload !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
    });
  } catch {
    throw new ApiError(unreachable, "network");
  }
}
