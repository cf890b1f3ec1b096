import { addDays, isDate, todayIn } from "@/lib/dates";

/** Ends that people choose from; "date" stands for a day of their own. */
export const expiryChoices = [
  { value: "never", label: "Never" },
  { value: "7", label: "In 7 days" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In one year" },
  { value: "date", label: "On a day of your choice" },
];

export interface Expiry {
  choice: string;
  /** YYYY-MM-DD, for the choice "date". */
  date: string;
}

export const noExpiry: Expiry = { choice: "never", date: "" };

/** What is wrong with a choice, or null. */
export function expiryProblem({ choice, date }: Expiry, now: Date = new Date()): string | null {
  if (choice !== "date") return null;
  if (!isDate(date)) return "Choose a day";
  return date <= localDay(now) ? "Choose a day after today" : null;
}

/** The instant to send. A chosen day counts whole in the reader's own time zone, so it ends with that day. */
export function expiryInstant({ choice, date }: Expiry, now: Date = new Date()): string | null {
  if (choice === "never") return null;
  if (choice === "date") return new Date(`${addDays(date, 1)}T00:00:00`).toISOString();
  return new Date(now.getTime() + Number(choice) * 86_400_000).toISOString();
}

export const localDay = (now: Date): string =>
  todayIn(Intl.DateTimeFormat().resolvedOptions().timeZone, now);
