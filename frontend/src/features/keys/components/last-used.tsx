import { Text } from "@mantine/core";
import { When } from "@/components/when";

interface Props {
  lastUsedAt?: string | null;
  lastUsedClient?: string | null;
}

/** When a key was last used, and by which program. */
export function LastUsed({ lastUsedAt, lastUsedClient }: Props) {
  return (
    <>
      <When at={lastUsedAt} />
      {lastUsedClient ? (
        <Text size="xs" c="dimmed">
          {lastUsedClient}
        </Text>
      ) : null}
    </>
  );
}
