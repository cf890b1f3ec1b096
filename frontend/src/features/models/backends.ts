import type { Backend, Offer } from "@/features/models/queries";
import type { BackendInput } from "@/gql/graphql";

/** A backend as it is being edited; `weight` is what was typed. */
export interface Draft {
  providerModelId: string;
  name: string;
  provider: string;
  obstacle: string | null;
  priority: number;
  weight: string;
}

export const draftOf = ({ providerModel, priority, weight }: Backend): Draft => ({
  providerModelId: providerModel.id,
  name: providerModel.name,
  provider: providerModel.provider.name,
  obstacle: providerModel.obstacle ?? null,
  priority,
  weight: String(weight),
});

export const inputsOf = (drafts: Draft[]): BackendInput[] =>
  drafts.map(({ providerModelId, priority, weight }) => ({
    providerModelId,
    priority,
    weight: Number(weight),
  }));

/** "gpt-5 (weight 1), then b (weight 2) or c (weight 1)", as a call tries them. */
export const wordsOf = (drafts: Draft[]): string =>
  tiersOf(drafts)
    .map((tier) => tier.map(({ name, weight }) => `${name} (weight ${weight})`).join(" or "))
    .join(", then ") || "none";

/** Backends of one priority together, in the order in which calls try them. */
export function tiersOf(drafts: Draft[]): Draft[][] {
  const byPriority = new Map<number, Draft[]>();
  for (const draft of drafts) {
    byPriority.set(draft.priority, [...(byPriority.get(draft.priority) ?? []), draft]);
  }
  return [...byPriority].sort(([a], [b]) => a - b).map(([, tier]) => tier);
}

const numbered = (tiers: Draft[][]): Draft[] =>
  tiers.flatMap((tier, priority) => tier.map((draft) => ({ ...draft, priority })));

/** A new one is the last resort until it is moved. */
export function withOffer(drafts: Draft[], offer: Offer): Draft[] {
  const last = {
    providerModelId: offer.id,
    name: offer.name,
    provider: offer.provider.name,
    obstacle: offer.obstacle ?? null,
    priority: 0,
    weight: "1",
  };
  return numbered([...tiersOf(drafts), [last]]);
}

export const without = (drafts: Draft[], providerModelId: string): Draft[] =>
  drafts.filter((draft) => draft.providerModelId !== providerModelId);

/**
 * Half a step at a time, so that every arrangement can be reached: one that shares its priority gets one of
 * its own on that side, one that is alone joins its neighbours.
 */
export function moved(drafts: Draft[], providerModelId: string, by: -1 | 1): Draft[] {
  const tiers = tiersOf(drafts);
  const at = tiers.findIndex((tier) => tier.some((one) => one.providerModelId === providerModelId));
  const draft = tiers[at]?.find((one) => one.providerModelId === providerModelId);
  if (!draft) return drafts;
  const others = without(tiers[at] ?? [], providerModelId);
  if (others.length > 0) {
    tiers.splice(at, 1, ...(by === -1 ? [[draft], others] : [others, [draft]]));
  } else {
    const neighbour = tiers[at + by];
    if (!neighbour) return drafts;
    tiers[at + by] = by === -1 ? [...neighbour, draft] : [draft, ...neighbour];
    tiers.splice(at, 1);
  }
  return numbered(tiers);
}

export function canMove(drafts: Draft[], providerModelId: string, by: -1 | 1): boolean {
  const tiers = tiersOf(drafts);
  const edge = by === -1 ? tiers[0] : tiers[tiers.length - 1];
  return !(edge?.length === 1 && edge[0]?.providerModelId === providerModelId);
}

/** The part of a tier's calls that goes to each of its backends, zero where a weight makes no sense yet. */
export function shareOf(draft: Draft, tier: Draft[]): number {
  const total = tier.reduce((sum, { weight }) => sum + (Number(weight) || 0), 0);
  return total === 0 ? 0 : (Number(draft.weight) || 0) / total;
}

const mostBackends = 20;
const mostWeight = 1000;

/** What is wrong with a set of backends, or null. */
export function backendsProblem(drafts: Draft[], status: "ACTIVE" | "DRAFT" | "DISABLED") {
  if (drafts.length > mostBackends) return `A model has at most ${mostBackends} backends`;
  const odd = drafts.find(({ weight }) => !isWeight(weight));
  if (odd) return `The weight of ${odd.name} must be a whole number from 1 to ${mostWeight}`;
  if (status === "ACTIVE" && drafts.length === 0) {
    return "An active model needs a backend; add one, or keep it a draft";
  }
  return null;
}

const isWeight = (text: string): boolean =>
  /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= mostWeight;
