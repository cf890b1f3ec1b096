import { createFileRoute } from "@tanstack/react-router";
import { OwnModelsPage } from "@/features/own-models/page";
import { ownModelsSearch } from "@/features/own-models/search";

export const Route = createFileRoute("/_app/models")({
  validateSearch: ownModelsSearch,
  component: OwnModelsPage,
});
