import { createFileRoute } from "@tanstack/react-router";
import { AuditLogPage } from "@/features/audit/page";
import { auditSearch } from "@/features/audit/search";

export const Route = createFileRoute("/_app/admin/audit-log")({
  validateSearch: auditSearch,
  component: AuditLogPage,
});
