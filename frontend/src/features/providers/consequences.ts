import type { Provider, ProviderModel } from "@/features/providers/queries";
import { plural } from "@/lib/numbers";

interface Loss {
  /** Backends that go or rest. */
  backends: number;
  /** Slugs of models in service that are left with nothing to answer them. */
  stranded: string[];
}

/** What models lose when these provider models of one provider go. */
export function lossOf(gone: ProviderModel[]): Loss {
  const ids = new Set(gone.map(({ id }) => id));
  const fronts = new Map(gone.flatMap(({ usedBy }) => usedBy).map((model) => [model.id, model]));
  const backends = gone.reduce((sum, { usedBy }) => sum + usedBy.length, 0);
  const stranded = [...fronts.values()]
    .filter(({ status }) => status === "ACTIVE")
    .filter(({ backends }) => backends.every(({ providerModel }) => ids.has(providerModel.id)))
    .map(({ slug }) => slug)
    .sort();
  return { backends, stranded };
}

const shownSlugs = 5;

export function strandedWords(stranded: string[]): string {
  const named = stranded.slice(0, shownSlugs).join(", ");
  const more = stranded.length - shownSlugs;
  return more > 0 ? `${named} and ${more} more` : named;
}

/** What goes with a provider, in one line. */
export function contentsOf({ models }: Pick<Provider, "models">): string {
  const { backends } = lossOf(models);
  return `${plural(models.length, "provider model")} and ${plural(backends, "backend")}`;
}
