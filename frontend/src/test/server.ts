import { vi } from "vitest";

interface Refusal {
  refused: { message: string; code: string; field?: string };
}

// biome-ignore lint/suspicious/noExplicitAny: a test hands over just the fields that its component reads
type Answer = any;
type Handler = Answer | ((variables: Record<string, never>) => Answer | Promise<Answer>);

interface Call {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests compare them with what they expect
  variables: any;
}

export interface StubServer {
  /** Everything that was asked, in order. */
  calls: Call[];
  /** What the operation of this name was last asked with. */
  lastOf: (name: string) => Call["variables"];
  /** Adds or replaces answers. */
  on: (handlers: Record<string, Handler>) => void;
}

export const refuse = (message: string, code = "invalid_input", field?: string): Refusal => ({
  refused: { message, code, ...(field === undefined ? {} : { field }) },
});

/**
 * Stands in for the server: answers GraphQL operations by their name ("Session") and other routes by method
 * and path ("POST /auth/sign-in"). What no handler is there for fails the request, loudly.
 */
export function stubServer(initial: Record<string, Handler> = {}): StubServer {
  // The bell is on every page, and each sign-in page asks for the ways to come in.
  const handlers: Record<string, Handler> = {
    UnreadAlerts: { alertNotices: { totalCount: 0 } },
    "GET /auth/sso": { enabled: false, label: "single sign-on", passwords: true },
    ...initial,
  };
  const calls: Call[] = [];

  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const payload = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    const isGraphql = path === "/graphql";
    const name = isGraphql ? operationName(payload.query) : `${init.method ?? "GET"} ${path}`;
    const variables = isGraphql ? payload.variables : payload;
    calls.push({ name, variables });
    if (!(name in handlers)) throw new Error(`no stub answers ${name}`);
    const handler = handlers[name];
    const answer: Answer = typeof handler === "function" ? await handler(variables) : handler;
    const refused = (answer as Refusal | null)?.refused;
    if (isGraphql)
      return json(200, refused ? { data: null, errors: [toError(refused)] } : { data: answer });
    return refused ? json(409, { error: refused }) : json(200, answer);
  });

  return {
    calls,
    lastOf: (name) => calls.findLast((call) => call.name === name)?.variables,
    on: (more) => {
      Object.assign(handlers, more);
    },
  };
}

function operationName(query: string): string {
  return /\b(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? "anonymous";
}

function toError({ message, ...extensions }: Refusal["refused"]) {
  return { message, extensions };
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json" },
  });
}
