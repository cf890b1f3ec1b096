import { expect, it } from "vitest";
import { slugProblem } from "@/features/models/slug";

it.each(["a", "gpt-5", "claude-sonnet-4.5", "0", "x".repeat(100)])("takes “%s”", (slug) => {
  expect(slugProblem(slug)).toBeNull();
});

it.each([
  ["", /Give the name/],
  ["GPT-5", /lowercase/],
  ["gpt 5", /lowercase/],
  ["gpt_5", /lowercase/],
  ["modèle", /lowercase/],
  ["-gpt", /begins and ends/],
  ["gpt.", /begins and ends/],
  ["x".repeat(101), /at most 100/],
])("says what is wrong with “%s”", (slug, words) => {
  expect(slugProblem(slug)).toMatch(words);
});
