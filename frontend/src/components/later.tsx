import { type ComponentType, lazy, Suspense } from "react";
import { CardSkeleton } from "@/components/skeletons";

/** A card whose code comes after the page's own, with its outline in its place until then. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  const Card = lazy(async () => ({ default: await load() }));
  return function Later(props: Props) {
    return (
      <Suspense fallback={<CardSkeleton />}>
        <Card {...props} />
      </Suspense>
    );
  };
}
