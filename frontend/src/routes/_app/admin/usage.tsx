import { createFileRoute } from "@tanstack/react-router";
import { AdminUsagePage } from "@/features/usage/admin-usage-page";
import { adminUsageSearch } from "@/features/usage/search";

export const Route = createFileRoute("/_app/admin/usage")({
  validateSearch: adminUsageSearch,
  component: AdminUsagePage,
});
