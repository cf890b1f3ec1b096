import { createFileRoute } from "@tanstack/react-router";
import { AdminUsagePage } from "@/features/usage/admin-usage-page";
import { usageSearch } from "@/features/usage/search";

export const Route = createFileRoute("/_app/admin/usage")({
  validateSearch: usageSearch,
  component: AdminUsagePage,
});
