/** What was typed as a list: one per line, or separated by commas or blanks. */
export const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** One per line: values of a claim may hold commas and blanks. */
export const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
