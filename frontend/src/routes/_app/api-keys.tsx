import { createFileRoute } from "@tanstack/react-router";
import { ApiKeysPage } from "@/features/keys/page";

export const Route = createFileRoute("/_app/api-keys")({
  component: ApiKeysPage,
});
