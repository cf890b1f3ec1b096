import { createFileRoute } from "@tanstack/react-router";
import { HealthPage } from "@/features/health/page";

export const Route = createFileRoute("/_app/admin/health")({
  component: HealthPage,
});
