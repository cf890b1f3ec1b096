import type { QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { PageError } from "@/components/page-error";
import { PageMissing } from "@/components/page-missing";
import { PageSkeleton } from "@/components/skeletons";
import { routeTree } from "@/routeTree.gen";

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingComponent: PageSkeleton,
    defaultErrorComponent: ({ error, reset }) => <PageError error={error} onRetry={reset} />,
    defaultNotFoundComponent: () => <PageMissing />,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
