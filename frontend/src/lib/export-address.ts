/** Where the server has a file, for these questions; what is not given is not asked. */
export function exportAddress(
  path: string,
  given: Record<string, string | number | boolean | undefined>,
): string {
  const asked = Object.entries(given).filter(
    (entry): entry is [string, string | number | true] =>
      entry[1] !== undefined && entry[1] !== false && entry[1] !== "",
  );
  return `/export/${path}?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}`;
}
