import { expect, it } from "vitest";
import {
  backendsProblem,
  canMove,
  type Draft,
  draftOf,
  inputsOf,
  moved,
  shareOf,
  tiersOf,
  withOffer,
  without,
} from "@/features/models/backends";
import { mockBackend, mockOffer } from "@/test/catalog";

const drafts = (...priorities: number[]): Draft[] =>
  priorities.map((priority, index) => draftOf(mockBackend("abc"[index] ?? "", priority)));

/** "a b|c" for a and b sharing the first priority and c after them. */
const shown = (all: Draft[]): string =>
  tiersOf(all)
    .map((tier) => tier.map(({ name }) => name).join(" "))
    .join("|");

it("shows backends in the order in which calls try them, whatever the numbers are", () => {
  expect(shown(drafts(20, 7, 20))).toBe("b|a c");
});

it("reaches every arrangement in half steps", () => {
  const apart = drafts(0, 1, 2);
  const joined = moved(apart, "pm-b", -1);
  expect(shown(joined)).toBe("a b|c");
  expect(shown(moved(joined, "pm-b", -1))).toBe("b|a|c");
  expect(shown(moved(joined, "pm-a", 1))).toBe("b|a|c");
  expect(shown(moved(apart, "pm-b", 1))).toBe("a|b c");
  expect(shown(moved(drafts(0, 0, 0), "pm-c", -1))).toBe("c|a b");
});

it("numbers priorities from zero once something moved, and keeps others' numbers until then", () => {
  expect(tiersOf(drafts(5, 9)).map((tier) => tier[0]?.priority)).toEqual([5, 9]);
  expect(moved(drafts(5, 9, 9), "pm-c", 1).map(({ priority }) => priority)).toEqual([0, 1, 2]);
});

it("does not move what is alone at an end any further", () => {
  const apart = drafts(0, 1);
  expect([canMove(apart, "pm-a", -1), canMove(apart, "pm-a", 1)]).toEqual([false, true]);
  expect([canMove(apart, "pm-b", -1), canMove(apart, "pm-b", 1)]).toEqual([true, false]);
  expect(moved(apart, "pm-a", -1)).toEqual(apart);
  expect(canMove(drafts(0, 0), "pm-a", -1)).toBe(true);
});

it("puts a new backend last and takes one out", () => {
  const more = withOffer(drafts(3, 3), mockOffer("new"));
  expect(shown(more)).toBe("a b|new");
  expect(shown(without(more, "pm-a"))).toBe("b|new");
});

it("shares calls by weight among equals", () => {
  const [a, b] = [mockBackend("a", 0, 3), mockBackend("b", 0, 1)].map(draftOf) as [Draft, Draft];
  expect([shareOf(a, [a, b]), shareOf(b, [a, b])]).toEqual([0.75, 0.25]);
  expect(shareOf({ ...a, weight: "" }, [{ ...a, weight: "" }])).toBe(0);
  expect(inputsOf([a])).toEqual([{ providerModelId: "pm-a", priority: 0, weight: 3 }]);
});

it.each(["", "0", "1.5", "-1", "x", "1001"])(
  "refuses the weight “%s” by the name of its backend",
  (weight) => {
    const [first] = drafts(0) as [Draft];
    expect(backendsProblem([{ ...first, weight }], "DRAFT")).toMatch(/weight of a/);
  },
);

it("lets a draft have no backend, and an active model not", () => {
  expect(backendsProblem([], "DRAFT")).toBeNull();
  expect(backendsProblem([], "ACTIVE")).toMatch(/needs a backend/);
  expect(backendsProblem(drafts(0), "ACTIVE")).toBeNull();
});
