import { createFileRoute } from "@tanstack/react-router";
import { DashboardPage } from "@/features/usage/dashboard-page";
import { usageSearch } from "@/features/usage/search";

export const Route = createFileRoute("/_app/")({
  validateSearch: usageSearch,
  component: DashboardPage,
});
