import type { AuditSearch } from "@/features/audit/search";
import { instantsOfSpan } from "@/lib/time-span";

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
  const { q, action, actor, kind, id } = search;
  const { since, until } = instantsOfSpan(search, timeZone, now);
  return {
    search: q ?? null,
    action: action ?? null,
    actor: actor ?? null,
    targetKind: kind ?? null,
    targetId: id ?? null,
    from: since,
    to: until,
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
