import type { AlertNoticesQuery } from "@/gql/graphql";

export type Alert = AlertNoticesQuery["alertNotices"]["edges"][number]["node"]["alert"];

const windows: Record<Alert["window"], string> = { DAY: "daily", WEEK: "weekly", MONTH: "monthly" };

/** "your daily cap", "the weekly pool of Team" */
export function capName(alert: Alert, viewerId: string): string {
  const window = windows[alert.window];
  const mine = alert.userId === viewerId;
  switch (alert.subjectKind) {
    case "POOL":
      return `the ${window} pool of ${alert.subjectLabel}`;
    case "KEY":
      return `the ${window} cap of ${mine ? "your" : "the"} API key ${alert.subjectLabel}`;
    default:
      return mine ? `your ${window} cap` : `the ${window} cap of ${alert.subjectLabel}`;
  }
}

export function setterOf(alert: Alert, viewerId: string): string {
  switch (alert.setByKind) {
    case "GROUP":
      return `set by the group ${alert.setByLabel} for each member`;
    case "POOL":
      return "drawn from by all members together";
    case "KEY":
      return "set for this key alone";
    default:
      return alert.userId === viewerId ? "set for you" : "set for this person";
  }
}
