import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent, { PointerEventsCheckLevel } from "@testing-library/user-event";
import type { ReactNode } from "react";
import { Messages } from "@/app/messages";
import { createQueryClient } from "@/app/query-client";
import { createAppRouter } from "@/app/router";
import { resolveCssVariables, theme } from "@/app/theme";
import { afterSession } from "@/features/session/after-session";
import { sessionQuery } from "@/features/session/queries";
import type { SessionQuery } from "@/gql/graphql";
import { type StubServer, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

interface Options {
  /** The address to start at. */
  at?: string;
  session?: SessionQuery;
  server?: StubServer;
}

// No pauses between keys, and no walk up all styles to see whether a pointer would get through.
const swift = { delay: null, pointerEventsCheck: PointerEventsCheckLevel.Never };

function newQueryClient(
  session: SessionQuery,
  onSignedOut: (changing: boolean) => void = () => {},
) {
  const client = createQueryClient(onSignedOut);
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retry: false } });
  client.setQueryData(sessionQuery.queryKey, session);
  return client;
}

function withProviders(children: ReactNode) {
  return render(
    <MantineProvider theme={theme} cssVariablesResolver={resolveCssVariables} env="test">
      <Messages />
      {children}
    </MantineProvider>,
  );
}

/** Shows one component as somebody who is signed in. Links lead to an empty page; `path()` tells which. */
export function renderComponent(ui: ReactNode, options: Options = {}) {
  const { at = "/", session = mockSession(), server = stubServer() } = options;
  const queryClient = newQueryClient(session);
  const root = createRootRoute();
  const routeTree = root.addChildren([
    createRoute({ getParentRoute: () => root, path: "$", component: () => <>{ui}</> }),
  ]);
  const router = createRouter({
    routeTree,
    history: createMemoryHistory({ initialEntries: [at] }),
  });
  const view = withProviders(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  return {
    ...view,
    user: userEvent.setup(swift),
    server,
    queryClient,
    path: () => router.state.location.href,
  };
}

/** Shows the whole console at an address, guards and layout included. */
export function renderApp(at: string, options: Omit<Options, "at"> & { signedIn?: boolean } = {}) {
  const { session = mockSession(), server = stubServer(), signedIn = true } = options;
  const queryClient = newQueryClient(session, (changing) =>
    afterSession(queryClient, router, changing),
  );
  if (!signedIn) queryClient.clear();
  const router = createAppRouter(queryClient);
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [at] }) });
  const view = withProviders(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return {
    ...view,
    user: userEvent.setup(swift),
    server,
    queryClient,
    path: () => router.state.location.href,
  };
}
