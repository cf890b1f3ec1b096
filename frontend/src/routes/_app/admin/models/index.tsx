import { createFileRoute } from "@tanstack/react-router";
import { ModelsPage } from "@/features/models/page";
import { modelListSearch } from "@/features/models/search";

export const Route = createFileRoute("/_app/admin/models/")({
  validateSearch: modelListSearch,
  component: ModelsPage,
});
