/** A table as RFC 4180 text. A cell that a spreadsheet would run as a formula is made plain text. */
export function toCsv(header: string[], rows: (string | number)[][]): string {
  return [header, ...rows]
    .map((cells) => cells.map(escapeCell).join(","))
    .join("\r\n")
    .concat("\r\n");
}

export function downloadCsv(name: string, header: string[], rows: (string | number)[][]): void {
  const url = URL.createObjectURL(
    new Blob([toCsv(header, rows)], { type: "text/csv;charset=utf-8" }),
  );
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

function escapeCell(cell: string | number): string {
  if (typeof cell === "number") return String(cell);
  const plain = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
