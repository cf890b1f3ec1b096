import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { splitLabel } from "@/lib/labels";

interface Props {
  /** As the ledger keeps it: "Ada Lovelace <ada@example.com>". */
  label: string;
  /** Leads to the person's page, which says so when the account was deleted. */
  id?: string;
}

export function Person({ label, id }: Props) {
  const { name, email } = splitLabel(label);
  return (
    <>
      {id === undefined ? (
        name
      ) : (
        <Anchor
          inherit
          c="inherit"
          fw={500}
          renderRoot={(props) => (
            <Link to="/admin/users/$userId" params={{ userId: id }} {...props} />
          )}
        >
          {name}
        </Anchor>
      )}
      {email ? (
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {email}
        </Text>
      ) : null}
    </>
  );
}
