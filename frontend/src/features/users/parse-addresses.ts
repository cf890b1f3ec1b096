const named = /<([^<>\s]+)>/;

/**
 * The addresses in pasted text, once each: lines, commas, semicolons, spreadsheet cells, `Name <address>` as mail
 * programs write it. What looks like none is kept, so that its writer is told.
 */
export function parseAddresses(text: string): string[] {
  const found = text.split(/[\n\r,;\t]+/).flatMap(addressesIn);
  const seen = new Set<string>();
  return found.filter((address) => {
    const key = address.toLowerCase();
    return !seen.has(key) && seen.add(key);
  });
}

function addressesIn(piece: string): string[] {
  const inBrackets = named.exec(piece)?.[1];
  if (inBrackets !== undefined) return [inBrackets];
  const words = piece.split(/[\s"']+/).filter((word) => word !== "");
  const addresses = words.filter((word) => word.includes("@"));
  // In a spreadsheet row a name stands beside its address.
  return addresses.length > 0 ? addresses : words.length > 0 ? [words.join(" ")] : [];
}

/** Those in a file, where headings and other columns stand beside them. */
export const addressesInFile = (text: string): string[] =>
  parseAddresses(text).filter((address) => address.includes("@"));
