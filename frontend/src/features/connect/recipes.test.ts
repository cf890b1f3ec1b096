import { expect, it } from "vitest";
import { recipesFor } from "@/features/connect/recipes";

const connection = {
  origin: "https://gate.example.com",
  key: "sg_key",
  model: "claude-demo",
  models: ["claude-demo", "gpt-demo"],
};
const textOf = (id: string, of = connection): string => {
  const recipe = recipesFor(of).find((one) => one.id === id);
  return JSON.stringify([
    recipe?.steps.map(({ code, settings }) => [code, settings]),
    recipe?.note,
  ]);
};

it("has a recipe with address, key and model for every client", () => {
  const recipes = recipesFor(connection);
  expect(recipes.map(({ name }) => name)).toEqual([
    "Claude Code",
    "Codex",
    "Cursor",
    "Cline",
    "aider",
    "opencode",
    "curl",
    "OpenAI SDK (Python)",
    "Anthropic SDK (Python)",
  ]);
  for (const { id } of recipes) {
    for (const part of ["https://gate.example.com", "sg_key", "claude-demo"]) {
      expect(textOf(id), id).toContain(part);
    }
  }
});

it("gives Anthropic's clients the origin and OpenAI's the path below it", () => {
  for (const id of ["claude-code", "anthropic-python"]) {
    expect(textOf(id)).not.toContain("gate.example.com/v1");
  }
  for (const id of ["codex", "cursor", "cline", "aider", "opencode", "openai-python"]) {
    expect(textOf(id)).toContain("gate.example.com/v1");
  }
});

it("writes files that their clients can read, with all models where a client wants them", () => {
  const opencode = recipesFor(connection).find(({ id }) => id === "opencode");
  const config = JSON.parse(opencode?.steps[1]?.code ?? "");
  expect(Object.keys(config.provider.sluicegate.models)).toEqual(["claude-demo", "gpt-demo"]);
  expect(config.model).toBe("sluicegate/claude-demo");

  const claude = recipesFor(connection).find(({ id }) => id === "claude-code");
  expect(JSON.parse(claude?.steps[1]?.code ?? "").env.ANTHROPIC_BASE_URL).toBe(connection.origin);
});

it("warns of Cursor where its servers can't reach the gateway", () => {
  expect(textOf("cursor")).toContain("must be able to reach this address");
  for (const origin of ["http://gate.example.com", "https://localhost", "https://10.1.2.3"]) {
    expect(textOf("cursor", { ...connection, origin })).toContain("can't reach");
  }
});
