import { createFileRoute } from "@tanstack/react-router";
import { SecretRulesPage } from "@/features/secret-rules/page";
import { secretRulesSearch } from "@/features/secret-rules/search";

export const Route = createFileRoute("/_app/admin/secret-rules")({
  validateSearch: secretRulesSearch,
  component: SecretRulesPage,
});
