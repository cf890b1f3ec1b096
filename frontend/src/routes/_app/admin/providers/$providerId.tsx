import { createFileRoute } from "@tanstack/react-router";
import { ProviderPage } from "@/features/providers/detail-page";

export const Route = createFileRoute("/_app/admin/providers/$providerId")({
  component: ProviderPage,
});
