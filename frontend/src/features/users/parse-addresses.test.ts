import { expect, it } from "vitest";
import { parseAddresses } from "@/features/users/parse-addresses";

it.each([
  ["one", "ada@x.example", ["ada@x.example"]],
  [
    "lines and commas",
    "a@x.example\nb@x.example, c@x.example;d@x.example",
    ["a@x.example", "b@x.example", "c@x.example", "d@x.example"],
  ],
  ["blanks between", " a@x.example  b@x.example ", ["a@x.example", "b@x.example"]],
  [
    "a mail program's form",
    "Ada Lovelace <ada@x.example>, Grace <grace@x.example>",
    ["ada@x.example", "grace@x.example"],
  ],
  [
    "spreadsheet rows",
    "Ada Lovelace\tada@x.example\r\nGrace Hopper ada.2@x.example",
    ["Ada Lovelace", "ada@x.example", "ada.2@x.example"],
  ],
  ["repeats in any case", "Ada@x.example ada@X.example", ["Ada@x.example"]],
  ["quoted cells", '"a@x.example","b@x.example"', ["a@x.example", "b@x.example"]],
  ["nothing", " \n,; ", []],
])("finds the addresses in %s", (_what, text, expected) => {
  expect(parseAddresses(text)).toEqual(expected);
});

it("keeps what is no address, so that the server can say so", () => {
  expect(parseAddresses("ada@x.example\nnot an address")).toEqual([
    "ada@x.example",
    "not an address",
  ]);
});
