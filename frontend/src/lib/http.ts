import { ApiError } from "@/lib/errors";

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
