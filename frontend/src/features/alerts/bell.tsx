import { UnstyledButton } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { unreadQuery } from "@/features/alerts/unread";
import { plural } from "@/lib/numbers";
import classes from "./alerts.module.css";

/** Leads to one's alerts, and says how many are new. */
export function Bell() {
  const unread = useQuery(unreadQuery).data ?? 0;
  return (
    <UnstyledButton
      className={classes.bell}
      aria-label={unread === 0 ? "Alerts" : `Alerts, ${plural(unread, "new one", "new ones")}`}
      renderRoot={(props) => <Link to="/alerts" {...props} />}
    >
      <IconBell size={18} stroke={1.7} aria-hidden />
      {unread === 0 ? null : (
        <span className={classes.count} aria-hidden>
          {unread > 99 ? "99+" : unread}
        </span>
      )}
    </UnstyledButton>
  );
}
