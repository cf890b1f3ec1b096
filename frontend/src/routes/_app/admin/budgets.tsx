import { createFileRoute } from "@tanstack/react-router";
import { BudgetsPage } from "@/features/limits/budgets-page";
import { budgetsSearch } from "@/features/limits/search";

export const Route = createFileRoute("/_app/admin/budgets")({
  validateSearch: budgetsSearch,
  component: BudgetsPage,
});
