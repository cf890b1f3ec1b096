import { createFileRoute } from "@tanstack/react-router";
import { AlertsAdminPage } from "@/features/alerts/admin-page";

export const Route = createFileRoute("/_app/admin/alerts")({
  component: AlertsAdminPage,
});
