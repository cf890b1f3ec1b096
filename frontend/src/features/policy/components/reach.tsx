import { Badge } from "@mantine/core";
import { IconUser, IconUsers } from "@tabler/icons-react";
import type { Subject } from "@/features/policy/subject";

/** What stands over a card's columns. */
export const columns: Record<Subject["kind"], { own: string; groups?: string; inForce: string }> = {
  user: { own: "Personal", groups: "Groups", inForce: "In force" },
  group: { own: "Per member", inForce: "" },
  pool: { own: "Pool", inForce: "Used by all members" },
};

/** Whether a group's value is for each member or for all together: the two look alike and differ much. */
export function Reach({ subject }: { subject: Subject }) {
  if (subject.kind === "user") return null;
  const pooled = subject.kind === "pool";
  const Glyph = pooled ? IconUsers : IconUser;
  return (
    <Badge color={pooled ? "blue" : "gray"} leftSection={<Glyph size={12} aria-hidden />}>
      {pooled ? "All members together" : "Each member"}
    </Badge>
  );
}
