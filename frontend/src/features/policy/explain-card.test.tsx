import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { ExplainCard } from "@/features/policy/components/explain-card";
import { mockModel, mockPage } from "@/test/people";
import { renderComponent } from "@/test/render";
import { stubServer } from "@/test/server";

const models = { models: mockPage([mockModel("sonnet")]) };

it("answers with the refusal, when the call would go through again, and each step", async () => {
  const server = stubServer({
    ModelPicker: models,
    Explain: {
      explain: {
        allowed: false,
        status: 402,
        code: "budget_exceeded",
        message: "Monthly budget of $200 reached, set by group Contractors: spent $200.13.",
        retryAt: "2099-12-01T00:00:00.000Z",
        checks: [
          { name: "account", passed: true, detail: "The account is active." },
          { name: "model", passed: true, detail: "'sonnet' is active." },
          { name: "grant", passed: true, detail: "Granted through group Contractors." },
          { name: "rate_limits", passed: true, detail: "Within all rate limits." },
          { name: "budgets", passed: false, detail: "Monthly budget of $200 reached." },
        ],
      },
    },
  });
  const { user } = renderComponent(<ExplainCard userId="user-2" />, { server });
  await user.type(await screen.findByRole("combobox", { name: "Model" }), "sonnet{Enter}");
  expect(await screen.findByText("No: 402 budget_exceeded")).toBeVisible();
  expect(screen.getByText(/^Again/)).toHaveTextContent("2099");
  const steps = within(screen.getByRole("list", { name: "Checks" })).getAllByRole("listitem");
  expect(steps.map((step) => within(step).getByRole("img").getAttribute("aria-label"))).toEqual([
    "passed",
    "passed",
    "passed",
    "passed",
    "refused",
    "not reached",
  ]);
  expect(server.lastOf("Explain")).toEqual({ userId: "user-2", model: "sonnet" });
});

it("says yes with all steps passed", async () => {
  const names = ["account", "model", "grant", "rate_limits", "budgets", "backend"];
  const server = stubServer({
    ModelPicker: models,
    Explain: {
      explain: {
        allowed: true,
        status: 200,
        code: null,
        message: "Yes: 'sonnet' may be called now.",
        retryAt: null,
        checks: names.map((name) => ({ name, passed: true, detail: "Fine." })),
      },
    },
  });
  const { user } = renderComponent(<ExplainCard userId="user-2" />, { server });
  await user.type(await screen.findByRole("combobox", { name: "Model" }), "sonnet");
  await user.click(screen.getByRole("button", { name: "Check" }));
  expect(await screen.findByText("Yes, it would be let through")).toBeVisible();
  expect(screen.getAllByRole("img", { name: "passed" })).toHaveLength(6);
});
