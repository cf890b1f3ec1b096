import { Badge } from "@mantine/core";
import type { ApiKeyStatus } from "@/gql/graphql";

const looks: Record<ApiKeyStatus, { label: string; color: string }> = {
  ACTIVE: { label: "Active", color: "green" },
  EXPIRED: { label: "Expired", color: "gray" },
  REVOKED: { label: "Revoked", color: "gray" },
};

/** Whether a key or a token still works. */
export function CredentialStatus({ status }: { status: ApiKeyStatus }) {
  const { label, color } = looks[status];
  return <Badge color={color}>{label}</Badge>;
}
