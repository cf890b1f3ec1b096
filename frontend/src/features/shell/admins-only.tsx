import { Outlet } from "@tanstack/react-router";
import { PageMissing } from "@/components/page-missing";
import { useSession } from "@/features/session/queries";

export function AdminsOnly() {
  const { viewer } = useSession();
  if (viewer.isAdmin) return <Outlet />;
  return (
    <PageMissing title="For administrators only">
      Your account is a member's. If you need this page, ask an administrator to change your role.
    </PageMissing>
  );
}
