import { type QueryClient, queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { redirect } from "@tanstack/react-router";
import { graphql } from "@/gql";
import type { SessionQuery } from "@/gql/graphql";
import { hasCode } from "@/lib/errors";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

export type Session = SessionQuery;

const document = graphql(`
  query Session {
    viewer {
      isAdmin
      user { id email name role }
    }
    deployment { version publicUrl timeZone mailConfigured }
  }
`);

/** Who is signed in, or null for nobody: that is an answer here, not a failure, unless somebody was until now. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  staleTime: 60_000,
  queryFn: async ({ client }): Promise<Session | null> => {
    try {
      return await execute(document);
    } catch (error) {
      const known = client.getQueryData<Session | null>(keys.session);
      if (hasCode(error, "unauthenticated") && !known) return null;
      throw error;
    }
  },
});

/** Lets signed-in people pass and sends everybody else to the sign-in page, which brings them back. */
export async function requireSession(queryClient: QueryClient, href: string): Promise<void> {
  const session = await queryClient.ensureQueryData(sessionQuery);
  if (session === null) {
    queryClient.removeQueries({ queryKey: keys.session });
    throw redirect({ to: "/sign-in", search: href === "/" ? {} : { next: href } });
  }
}

/** The session behind the guard; pages under it need not ask whether there is one. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(sessionQuery);
  if (data === null) throw new Error("a page that needs a session was shown without one");
  return data;
}

/**
 * Where a person goes after signing in: a page of this console, never another site. Browsers drop
 * tabs and line breaks from addresses.
 */
export function safeNext(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])\P{Cc}*$/u.test(next) ? next : "/";
}
