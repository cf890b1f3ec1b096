import { Text } from "@mantine/core";
import { useSession } from "@/features/session/queries";
import { formatUsd, parseUsd } from "@/lib/currency";
import { pointFormat } from "@/lib/dates";

interface Props {
  spent: string;
  cap: string;
  /** When the cap is reached at the pace of the window so far, as the server tells it. */
  reachedAt: string | null;
}

/** What comes of a cap if spending goes on as it did; nothing where it lasts, or where nobody can tell yet. */
export function Forecast({ spent, cap, reachedAt }: Props) {
  const { timeZone } = useSession().deployment;
  if (reachedAt === null) return null;
  if ((parseUsd(spent) ?? 0n) >= (parseUsd(cap) ?? 0n)) {
    return (
      <Text size="xs" c="red">
        {parseUsd(cap) === 0n ? "Blocked" : "Used up: calls are refused"}
      </Text>
    );
  }
  return (
    <Text size="xs" title={`At this pace ${formatUsd(cap)} are spent then`}>
      At this pace reached on {pointFormat("HOUR", timeZone)(reachedAt)}
    </Text>
  );
}
