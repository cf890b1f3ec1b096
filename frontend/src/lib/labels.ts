/** Takes apart what the ledger and the audit log call people: "Ada Lovelace <ada@example.com>". */
export function splitLabel(label: string): { name: string; email: string | null } {
  const [, name = label, email = null] = /^(.*\S)\s*<(.+)>$/.exec(label) ?? [];
  return { name, email };
}
