import { Text } from "@mantine/core";

interface Props {
  user: { name: string; email: string };
}

/** A person in a list: the name, and the e-mail under it. */
export function UserName({ user }: Props) {
  return (
    <span style={{ display: "block", overflowWrap: "anywhere" }}>
      <Text inherit fw={500} component="span" display="block">
        {user.name || user.email}
      </Text>
      <Text size="xs" c="dimmed" fw={400} component="span" display="block">
        {user.name ? user.email : "No name yet"}
      </Text>
    </span>
  );
}
