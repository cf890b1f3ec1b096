import { Anchor } from "@mantine/core";
import { Link, useRouter } from "@tanstack/react-router";

interface Props {
  id: string;
  label: string;
}

/** A person's name that leads to their page, where this build has one. */
export function UserLink({ id, label }: Props) {
  const { routesByPath } = useRouter();
  if (!("/admin/users/$userId" in routesByPath)) return label;
  return (
    <Anchor
      inherit
      c="inherit"
      renderRoot={(props) => (
        <Link to={"/admin/users/$userId" as "/"} params={{ userId: id } as never} {...props} />
      )}
    >
      {label}
    </Anchor>
  );
}
