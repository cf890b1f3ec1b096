import { createFileRoute } from "@tanstack/react-router";
import { DashboardPage } from "@/features/usage/dashboard-page";

export const Route = createFileRoute("/_app/")({
  component: DashboardPage,
});
