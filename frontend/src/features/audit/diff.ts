import { fieldLabel, sentence, targets } from "@/features/audit/words";
import { formatCap, formatUsd } from "@/lib/currency";
import { formatExact } from "@/lib/dates";
import { formatCount, formatLimit } from "@/lib/numbers";

export interface Change {
  field: string;
  before?: unknown;
  after?: unknown;
}

/** One line of a difference, in words. Null: there was nothing, or there is nothing any more. */
export interface DiffLine {
  label: string;
  before: string[] | null;
  after: string[] | null;
}

const caps = new Set(["daily", "weekly", "monthly"]);
const limits = new Set(["requests", "input_tokens", "output_tokens", "concurrent_requests"]);
const windows = new Set(["day", "week", "month"]);
const enums = new Set(["role", "status", "kind"]);
const none = ["none"];

/** What differs, one line a field; a field of several parts, such as prices, has a line for each that differs. */
export function diffLines(action: string, changes: Change[]): DiffLine[] {
  const show = reader(changes);
  const flat = changes.flatMap(parts);
  const [isNew, isGone] = [addsOnly(action), removesOnly(action)];
  return flat.flatMap(({ field, before, after }): DiffLine[] => {
    const [old, young] = [show(field, before), show(field, after)];
    const label = fieldLabel(field);
    if (isNew || isGone) {
      // Whatever was never set is no news about something that begins or ends.
      const value = isNew ? after : before;
      const empty = value === null || value === undefined || value === "";
      if (empty || (Array.isArray(value) && value.length === 0)) return [];
      return [{ label, before: isGone ? old : null, after: isNew ? young : null }];
    }
    return [{ label, before: old, after: young }];
  });
}

const addsOnly = (action: string): boolean =>
  /\.(create|create_admin|add|add_members|invite|refuse|test|change_password|reset_password|expire|approve|deny)$/.test(
    action,
  ) || /^(api_key|token)\.revoke$/.test(action);

const removesOnly = (action: string): boolean =>
  /\.(delete|remove_members|withdraw|end)$/.test(action) ||
  action === "grant.revoke" ||
  action === "session.revoke";

/** Parts of a field that holds several, without those that stayed. */
function parts({ field, before, after }: Change): Change[] {
  const [old, young] = [before, after].map(asRecord);
  if (!old && !young) return [{ field, before, after }];
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(young ?? {})]);
  return [...names]
    .filter((name) => JSON.stringify(old?.[name]) !== JSON.stringify(young?.[name]))
    .map((name) => ({
      field: field === "prices" && !name.startsWith("cache_write") ? `${name}_price` : name,
      before: old?.[name],
      after: young?.[name],
    }));
}

const asRecord = (value: unknown): Record<string, unknown> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;

/** How a value of a field reads; what a temporary value is worth depends on what it stands in for. */
function reader(changes: Change[]): (field: string, value: unknown) => string[] {
  const target = changes.find(({ field }) => field === "of");
  const of = target?.after ?? target?.before;
  return (field, value) => {
    if (caps.has(field)) return [formatCap(asText(value))];
    if (limits.has(field)) return [formatLimit(asNumber(value))];
    if (field === "value") return [temporary(of, value)];
    if (field === "of") return [targets[String(value)] ?? String(value)];
    if (field === "models" && (value === null || value === undefined)) return ["all models"];
    if (value === null || value === undefined || value === "") return none;
    if (field.endsWith("_price") || field.startsWith("cache_write"))
      return [`${formatUsd(String(value))} per million`];
    if (field.endsWith("_at") && typeof value === "string") return [formatExact(value)];
    if (enums.has(field)) return [sentence(String(value))];
    return values(field, value);
  };
}

function values(field: string, value: unknown): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return none;
    const texts = value.map((one) => plain(one));
    return field === "alert_thresholds" ? [texts.map((text) => `${text}%`).join(", ")] : texts;
  }
  return [plain(value)];
}

function plain(value: unknown): string {
  if (typeof value === "number") return formatCount(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  const record = asRecord(value);
  if (record?.model !== undefined)
    return `${record.model} (priority ${record.priority}, weight ${record.weight})`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function temporary(of: unknown, value: unknown): string {
  if (value === "unlimited") return "No limit";
  return windows.has(String(of)) ? formatCap(asText(value)) : formatLimit(asNumber(value));
}

const asText = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);
const asNumber = (value: unknown): number | null => (typeof value === "number" ? value : null);
