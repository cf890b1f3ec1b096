import type { Provider } from "@/features/providers/queries";
import { mockKinds, mockPage, mockProvider } from "@/test/catalog";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

/** The page of a provider, as an administrator sees it. */
export function openProvider(provider: Provider | null = mockProvider(), more = {}) {
  const server = stubServer({
    ProviderDetail: { provider },
    ProviderKinds: { providerKinds: mockKinds },
    ProviderList: { providers: mockPage([]) },
    UpdateProvider: { updateProvider: { provider } },
    ...more,
  });
  return renderApp("/admin/providers/provider-1", {
    session: mockSession({ role: "ADMIN" }),
    server,
  });
}
