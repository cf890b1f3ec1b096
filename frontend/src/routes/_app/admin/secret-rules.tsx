import { createFileRoute } from "@tanstack/react-router";
import { SecretRulesPage } from "@/features/secret-rules/page";

export const Route = createFileRoute("/_app/admin/secret-rules")({
  component: SecretRulesPage,
});
