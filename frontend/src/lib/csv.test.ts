import { expect, it } from "vitest";
import { toCsv } from "@/lib/csv";

it("quotes what would break a row and disarms what a spreadsheet would run", () => {
  const text = toCsv(
    ["name", "cost"],
    [
      ["a,b", 1],
      ['say "hi"', -2],
      ["=1+1", 3],
      ["two\nlines", 4],
    ],
  );
  expect(text).toBe('name,cost\r\n"a,b",1\r\n"say ""hi""",-2\r\n\'=1+1,3\r\n"two\nlines",4\r\n');
});
