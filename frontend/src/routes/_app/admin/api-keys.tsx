import { createFileRoute } from "@tanstack/react-router";
import { AllKeysPage } from "@/features/all-keys/page";
import { allKeysSearch } from "@/features/all-keys/search";

export const Route = createFileRoute("/_app/admin/api-keys")({
  validateSearch: allKeysSearch,
  component: AllKeysPage,
});
