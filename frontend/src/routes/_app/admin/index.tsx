import { createFileRoute } from "@tanstack/react-router";
import { OverviewPage } from "@/features/overview/page";
import { usageSearch } from "@/features/usage/search";

export const Route = createFileRoute("/_app/admin/")({
  validateSearch: usageSearch,
  component: OverviewPage,
});
