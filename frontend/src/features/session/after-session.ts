import type { QueryClient } from "@tanstack/react-query";
import type { createAppRouter } from "@/app/router";
import { notifySignedOut } from "@/lib/notify";
import { hasUnsaved } from "@/lib/unsaved";

/**
 * What follows once the server knows the session no more: the sign-in page, which leads back. Whoever is changing
 * something stays where they are, since what they typed would be gone.
 */
export function afterSession(
  queryClient: QueryClient,
  router: ReturnType<typeof createAppRouter>,
  changing: boolean,
): void {
  const { pathname, href } = router.state.location;
  if (pathname === "/sign-in" || pathname.startsWith("/welcome/")) return;
  if (changing || document.querySelector('[role="dialog"] form') !== null || hasUnsaved()) {
    notifySignedOut();
    return;
  }
  queryClient.clear();
  void router.navigate({ to: "/sign-in", search: { next: href } });
}
