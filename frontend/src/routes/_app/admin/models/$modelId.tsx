import { createFileRoute } from "@tanstack/react-router";
import { ModelPage } from "@/features/models/detail-page";

export const Route = createFileRoute("/_app/admin/models/$modelId")({
  component: ModelPage,
});
