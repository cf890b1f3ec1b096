import * as z from "zod/mini";

export const shortestPassword = 12;

/** Only its length is looked at here; the server says what is too easy to guess. */
export const newPassword = z
  .string()
  .check(z.minLength(shortestPassword, `Use at least ${shortestPassword} characters`));
