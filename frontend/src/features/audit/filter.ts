import type { AuditSearch } from "@/features/audit/search";
import { addDays, startOfDay } from "@/lib/dates";

const minute = 60_000;

/** What the server is asked for: its own names, with days turned into instants. */
export interface AuditFilter {
  search: string | null;
  action: string | null;
  actor: string | null;
  targetKind: string | null;
  targetId: string | null;
  from: string | null;
  to: string | null;
}

export function filterOf(search: AuditSearch, timeZone: string, now = Date.now()): AuditFilter {
  const { q, action, actor, kind, id, days, from, to } = search;
  // To the minute, so that the same question is asked again for a while.
  const until = Math.floor(now / minute) * minute;
  const since =
    days === undefined
      ? from && startOfDay(from, timeZone)
      : new Date(until - days * 86_400_000).toISOString();
  return {
    search: q ?? null,
    action: action ?? null,
    actor: actor ?? null,
    targetKind: kind ?? null,
    targetId: id ?? null,
    from: since ?? null,
    to: days === undefined && to ? startOfDay(addDays(to, 1), timeZone) : null,
  };
}

/** Where the events that match can be downloaded, all of them. */
export function exportAddress(filter: AuditFilter, format: "csv" | "json"): string {
  const given = Object.entries(filter).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  const asked = new URLSearchParams(given).toString();
  return `/export/audit-log.${format}${asked && `?${asked}`}`;
}
