import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { hasCode } from "@/lib/errors";

/** After a refusal because somebody else was quicker: what they saved is read, so that the next try knows of it. */
export function refreshIfStale(client: QueryClient, touched: QueryKey[]) {
  return async (error: unknown): Promise<void> => {
    if (!hasCode(error, "stale_version")) return;
    await Promise.all(touched.map((queryKey) => client.invalidateQueries({ queryKey })));
  };
}
