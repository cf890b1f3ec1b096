import { Anchor, Stack, Text } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { Column } from "@/components/data-table";
import { When } from "@/components/when";
import { Difference } from "@/features/audit/components/difference";
import type { AuditEvent } from "@/features/audit/queries";
import { actionLabel } from "@/features/audit/words";
import { Person } from "@/features/usage/person";
import { splitLabel } from "@/lib/labels";

export const auditColumns: Column<AuditEvent>[] = [
  { id: "when", header: "When", cell: ({ at }) => <When at={at} />, width: 110 },
  { id: "who", header: "Who", cell: (event) => <Actor event={event} />, from: "sm", width: 200 },
  {
    id: "what",
    header: "What",
    cell: (event) => (
      <Stack gap={2}>
        <span style={{ overflowWrap: "anywhere" }}>
          {actionLabel(event.action)} <Target event={event} />
        </span>
        <Text size="xs" c="dimmed" component="div" hiddenFrom="sm">
          <Actor event={event} />
        </Text>
        <Text component="div" hiddenFrom="md">
          <Difference event={event} />
        </Text>
      </Stack>
    ),
  },
  {
    id: "difference",
    header: "Difference",
    cell: (event) => <Difference event={event} />,
    from: "md",
    width: "40%",
  },
];

function Actor({ event: { actorKind, actorLabel, actor } }: { event: AuditEvent }) {
  if (actorKind === "SYSTEM") return <>{actorLabel === "system" ? "The server" : actorLabel}</>;
  if (actorKind === "SCIM") return <>{actorLabel}</>;
  return (
    <>
      <Person label={actorLabel} {...(actor ? { id: actor.id } : {})} />
      {actorKind === "TOKEN" ? (
        <Text size="xs" c="dimmed">
          by automation token
        </Text>
      ) : null}
    </>
  );
}

const pages: Record<string, (id: string) => LinkProps> = {
  user: (userId) => ({ to: "/admin/users/$userId", params: { userId } }),
  group: (groupId) => ({ to: "/admin/groups/$groupId", params: { groupId } }),
  provider: (providerId) => ({ to: "/admin/providers/$providerId", params: { providerId } }),
  model: (modelId) => ({ to: "/admin/models/$modelId", params: { modelId } }),
};

/** What was changed, by its name of then, and the way to it. */
function Target({ event: { targetKind, targetId, targetLabel, action } }: { event: AuditEvent }) {
  const label = splitLabel(targetLabel).name || "without a name";
  const page = /\.(delete|withdraw)$/.test(action) ? undefined : pages[targetKind];
  if (page === undefined)
    return (
      <Text span inherit fw={500} title={targetLabel}>
        {label}
      </Text>
    );
  return (
    <Anchor
      inherit
      c="inherit"
      fw={500}
      title={targetLabel}
      renderRoot={(props) => <Link {...page(targetId)} {...props} />}
    >
      {label}
    </Anchor>
  );
}
