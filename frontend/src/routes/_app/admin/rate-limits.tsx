import { createFileRoute } from "@tanstack/react-router";
import { RateLimitsPage } from "@/features/limits/rate-limits-page";
import { limitsSearch } from "@/features/limits/search";

export const Route = createFileRoute("/_app/admin/rate-limits")({
  validateSearch: limitsSearch,
  component: RateLimitsPage,
});
