import { Text } from "@mantine/core";
import type { ListedModel } from "@/features/models/queries";

/** The backend that is tried first, and how many more there are. */
export function BackendsSummary({ backends }: Pick<ListedModel, "backends">) {
  const [first, ...more] = backends;
  if (!first) {
    return (
      <Text span size="sm" c="dimmed">
        None
      </Text>
    );
  }
  const { name, provider } = first.providerModel;
  return (
    <Text span size="sm" style={{ overflowWrap: "anywhere" }}>
      <span className="mono">{name}</span>
      <Text span inherit c="dimmed">
        {` · ${provider.name}`}
        {more.length > 0 ? ` and ${more.length} more` : ""}
      </Text>
    </Text>
  );
}
