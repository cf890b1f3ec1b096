import { createFileRoute } from "@tanstack/react-router";
import { ConnectPage } from "@/features/connect/page";
import { connectSearch } from "@/features/connect/search";

export const Route = createFileRoute("/_app/connect")({
  validateSearch: connectSearch,
  component: ConnectPage,
});
