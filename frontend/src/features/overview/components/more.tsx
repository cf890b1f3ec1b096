import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";

interface MoreProps {
  to: "/admin/usage" | "/admin/budgets" | "/admin/audit-log" | "/admin/live" | "/admin/settings";
  search?: Record<string, unknown>;
  children: string;
}

/** The way from a part of the overview to all of it. */
export function More({ to, search = {}, children }: MoreProps) {
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to={to} search={search} {...props} />}>
      {children}
    </Anchor>
  );
}
