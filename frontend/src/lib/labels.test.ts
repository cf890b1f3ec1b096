import { expect, it } from "vitest";
import { splitLabel } from "./labels";

it("tells the name from the address, where there are both", () => {
  expect(splitLabel("Ada Lovelace <ada@example.com>")).toEqual({
    name: "Ada Lovelace",
    email: "ada@example.com",
  });
  expect(splitLabel("Contractors")).toEqual({ name: "Contractors", email: null });
  expect(splitLabel("<ada@example.com>")).toEqual({ name: "<ada@example.com>", email: null });
});
