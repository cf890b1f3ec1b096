import { createFileRoute } from "@tanstack/react-router";
import { ProvidersPage } from "@/features/providers/page";
import { providerListSearch } from "@/features/providers/search";

export const Route = createFileRoute("/_app/admin/providers/")({
  validateSearch: providerListSearch,
  component: ProvidersPage,
});
