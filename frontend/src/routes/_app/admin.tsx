import { createFileRoute } from "@tanstack/react-router";
import { AdminsOnly } from "@/features/shell/admins-only";

export const Route = createFileRoute("/_app/admin")({
  component: AdminsOnly,
});
