import type { GroupPolicy, UserPolicy } from "@/features/policy/queries";

export interface HeldModel {
  model: GroupPolicy["grants"][number]["model"];
  /** The holder's own grant, which can be revoked here. */
  own: { id: string; createdAt: string } | null;
  /** The groups through which it is held as well. */
  through: { id: string; name: string }[];
}

/** One line per model, however many ways lead to it. */
export function mergeGrants(
  own: GroupPolicy["grants"],
  inherited: UserPolicy["inheritedGrants"] = [],
): HeldModel[] {
  const held = new Map<string, HeldModel>();
  for (const { id, createdAt, model } of own) {
    held.set(model.id, { model, own: { id, createdAt }, through: [] });
  }
  for (const { model, group } of inherited) {
    const line = held.get(model.id) ?? { model, own: null, through: [] };
    if (group) line.through.push(group);
    held.set(model.id, line);
  }
  return [...held.values()].sort((a, b) => a.model.slug.localeCompare(b.model.slug, "en"));
}
