import { expect, it } from "vitest";
import { safeNext } from "@/features/session/queries";

it("goes back only to pages of this console after signing in", () => {
  expect(safeNext("/admin/users?search=a")).toBe("/admin/users?search=a");
  expect(safeNext(undefined)).toBe("/");
  for (const elsewhere of [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/\n\\evil.example",
    "admin",
    "",
  ]) {
    expect(safeNext(elsewhere)).toBe("/");
  }
});
