import { Badge, Group, Text } from "@mantine/core";
import type { ModelStatus } from "@/gql/graphql";

interface Props {
  model: { slug: string; displayName: string; status: ModelStatus };
}

/** A model as callers name it, with its name for people; one that is not served says so. */
export function ModelName({ model }: Props) {
  return (
    <div>
      <Group gap={8} wrap="nowrap">
        <Text size="sm" className="mono" style={{ overflowWrap: "anywhere" }}>
          {model.slug}
        </Text>
        {model.status === "ACTIVE" ? null : (
          <Badge size="sm" color="gray">
            {model.status === "DRAFT" ? "Draft" : "Disabled"}
          </Badge>
        )}
      </Group>
      {model.displayName === "" ? null : (
        <Text size="xs" c="dimmed">
          {model.displayName}
        </Text>
      )}
    </div>
  );
}
