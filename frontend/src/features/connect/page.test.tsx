import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";

const model = (slug: string, kind = "CHAT") => ({
  slug,
  displayName: slug,
  kind,
  provider: "Demo",
  contextWindow: null,
  maxOutputTokens: null,
  capabilities: [],
  free: true,
  prices: {
    input: null,
    cacheRead: null,
    cacheWrite5m: null,
    cacheWrite1h: null,
    output: null,
    longContext: [],
  },
});

it("fills in the public address and a granted chat model, and keeps the choice in the address", async () => {
  const server = stubServer({
    AvailableModels: {
      availableModels: [model("embed-demo", "EMBEDDING"), model("gpt-demo"), model("claude-demo")],
    },
  });
  const { user, path } = renderApp("/connect", { server });
  const code = await screen.findByRole("region", { name: "For one shell" });
  expect(code).toHaveTextContent("ANTHROPIC_BASE_URL=https://gate.example.com ");
  expect(code).toHaveTextContent("ANTHROPIC_MODEL=gpt-demo");
  expect(code).toHaveTextContent("ANTHROPIC_AUTH_TOKEN=YOUR_SLUICEGATE_KEY");

  await user.selectOptions(screen.getByLabelText("Client"), "Codex");
  await user.selectOptions(screen.getByLabelText("Model"), "claude-demo");
  await waitFor(() => expect(path()).toBe("/connect?client=codex&model=claude-demo"));
  expect(await screen.findByText(/model = "claude-demo"/)).toBeVisible();
});

it("tells people without a grant whom to ask", async () => {
  const server = stubServer({ AvailableModels: { availableModels: [] } });
  renderApp("/connect", { server });
  expect(await screen.findByText("No model was granted to you yet")).toBeVisible();
});
