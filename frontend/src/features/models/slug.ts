const form = /^[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?$/;

/** What is wrong with a slug, or null; the same rule as the server's. */
export function slugProblem(slug: string): string | null {
  if (slug === "") return "Give the name that callers send, like claude-sonnet-4.5";
  if (form.test(slug)) return null;
  if (slug.length > 100) return "A slug has at most 100 characters";
  if (/[^a-z0-9.-]/.test(slug)) return "Use lowercase letters, digits, hyphens and dots only";
  return "A slug begins and ends with a letter or digit";
}
