import type { QueryClient } from "@tanstack/react-query";

/** After something is deleted: a list that is not on screen is read anew when it is, instead of showing for a moment what is gone. */
export function forgetLists(client: QueryClient, of: readonly [string]) {
  client.removeQueries({ queryKey: [...of, "list"], type: "inactive" });
}
