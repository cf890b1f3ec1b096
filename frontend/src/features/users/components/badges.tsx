import { Badge } from "@mantine/core";
import type { Role, UserStatus } from "@/gql/graphql";

const statuses: Record<UserStatus, { label: string; color: string }> = {
  ACTIVE: { label: "Active", color: "green" },
  INVITED: { label: "Invited", color: "blue" },
  SUSPENDED: { label: "Suspended", color: "red" },
};

export function StatusBadge({ status }: { status: UserStatus }) {
  const { label, color } = statuses[status];
  return (
    <Badge color={color} miw="max-content">
      {label}
    </Badge>
  );
}

export function RoleBadge({ role }: { role: Role }) {
  return role === "ADMIN" ? <Badge color="tide">Admin</Badge> : <Badge color="gray">Member</Badge>;
}
