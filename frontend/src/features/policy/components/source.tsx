import { Anchor, Badge, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { PolicySource } from "@/features/policy/queries";

interface Props {
  source: PolicySource;
}

/** Who set a value: the person, or a group that one click leads to. */
export function SourceName({ source }: Props) {
  if (source.kind === "USER") return <>Personal</>;
  if (source.kind === "KEY") return <>Key {source.name}</>;
  return (
    <Anchor
      inherit
      underline="always"
      style={{ textDecorationColor: "var(--mantine-color-dimmed)", textUnderlineOffset: 3 }}
      renderRoot={(props) => (
        <Link to="/admin/groups/$groupId" params={{ groupId: source.id }} {...props} />
      )}
    >
      {source.kind === "POOL" ? `Pool of ${source.name}` : source.name}
    </Anchor>
  );
}

export function SetBy({ source }: Props) {
  return (
    <Text size="xs" c="dimmed" component="span">
      {source.kind === "USER" ? (
        "Set for this user"
      ) : (
        <>
          Set by group <SourceName source={source} />
        </>
      )}
    </Text>
  );
}

interface ViaProps {
  group: { id: string; name: string };
}

/** Something that comes through a group and is changed there. */
export function Via({ group }: ViaProps) {
  return (
    <Badge color="gray" variant="light" style={{ maxWidth: 220 }}>
      via <SourceName source={{ kind: "GROUP", ...group }} />
    </Badge>
  );
}
