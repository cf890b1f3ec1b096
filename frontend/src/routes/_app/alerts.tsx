import { createFileRoute } from "@tanstack/react-router";
import { NoticesPage } from "@/features/alerts/notices-page";
import { noticesSearch } from "@/features/alerts/search";

export const Route = createFileRoute("/_app/alerts")({
  validateSearch: noticesSearch,
  component: NoticesPage,
});
