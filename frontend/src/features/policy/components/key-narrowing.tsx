import { Text } from "@mantine/core";
import type { Budget, RateLimit } from "@/features/policy/queries";
import { dimensions, windows } from "@/features/policy/words";
import { formatCap } from "@/lib/currency";
import { formatLimit } from "@/lib/numbers";

interface Props {
  /** Null where the key may call whatever its owner may. */
  models: { slug: string }[] | null;
  rateLimit: RateLimit;
  budget: Pick<Budget, "daily" | "weekly" | "monthly">;
}

/** By how much a key is less than its owner; nothing is shown for one that is not. */
export function KeyNarrowing({ models, rateLimit, budget }: Props) {
  const values = [
    ...dimensions.map(({ field, label }) => ({ label, text: formatLimit(rateLimit[field]) })),
    ...windows.map(({ field, label }) => ({ label, text: formatCap(budget[field]) })),
  ].filter(({ text }) => text !== "No limit");
  return (
    <>
      {models === null ? null : (
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {models.length === 0 ? (
            "May call no model"
          ) : (
            <>
              Only <span className="mono">{models.map(({ slug }) => slug).join(", ")}</span>
            </>
          )}
        </Text>
      )}
      {values.length === 0 ? null : (
        <Text size="xs" c="dimmed">
          Of its own: {values.map(({ label, text }) => `${label.toLowerCase()} ${text}`).join(", ")}
        </Text>
      )}
    </>
  );
}
