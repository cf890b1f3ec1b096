import type { KindInfo, ListedProvider } from "@/features/providers/queries";

type Addressed = Pick<ListedProvider, "kind" | "baseUrl" | "organization" | "region">;

/** Where calls go, as one line. */
export function addressOf(provider: Addressed, info: KindInfo | undefined): string {
  if (provider.kind === "DEMO") return "Answers inside this server";
  const usual = info?.defaultBaseUrl?.replace("{region}", provider.region ?? "…");
  return provider.baseUrl ?? usual ?? "–";
}

/** Everything that tells two providers of one kind apart. */
export function detailsOf(provider: Addressed, info: KindInfo | undefined): string {
  return [addressOf(provider, info), provider.organization, provider.region]
    .filter((part) => part)
    .join(" · ");
}
