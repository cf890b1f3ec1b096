const most = 10;

const parts = (text: string): string[] =>
  text
    .split(/[\s,;%]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** What is wrong with a list of per cents as typed, or null. */
export function thresholdsProblem(text: string): string | null {
  const typed = parts(text);
  if (typed.length > most) return "Enter at most ten thresholds";
  const wrong = typed.find(
    (part) => !/^\d{1,3}$/.test(part) || Number(part) < 1 || Number(part) > 100,
  );
  return wrong === undefined ? null : `“${wrong}” is not a per cent between 1 and 100`;
}

/** Ascending and without repeats, as the server keeps them. */
export const thresholdsInput = (text: string): number[] =>
  [...new Set(parts(text).map(Number))].sort((a, b) => a - b);
