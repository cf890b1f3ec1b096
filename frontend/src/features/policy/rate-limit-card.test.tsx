import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { RateLimitCard } from "@/features/policy/components/rate-limit-card";
import type { Subject } from "@/features/policy/subject";
import { mockLimit, noLimits, source } from "@/test/people";
import { renderComponent } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const grace: Subject = { kind: "user", id: "user-2", name: "Grace Hopper" };
const saved = { setRateLimit: { rateLimit: { requestsPerMinute: null } } };

const field = (name: string) => screen.findByRole("textbox", { name });
const save = () => screen.getByRole("button", { name: "Save rate limit" });

it("shows the strictest value, who set it, what is in use, and every value that competes", async () => {
  const limit = mockLimit(
    "REQUESTS",
    [
      [source.contractors, 30],
      [source.personal, 60],
    ],
    12,
  );
  const { user } = renderComponent(
    <RateLimitCard
      subject={grace}
      rateLimit={{ ...noLimits, requestsPerMinute: 60 }}
      inForce={[limit]}
    />,
  );
  expect(await field("Requests per minute")).toHaveValue("60");
  expect(screen.getByText("30")).toBeVisible();
  expect(screen.getByText(/Set by group/)).toHaveTextContent("Set by group Contractors");
  expect(screen.getByRole("link", { name: "Contractors" })).toHaveAttribute(
    "href",
    "/admin/groups/group-1",
  );
  expect(screen.getByRole("meter")).toHaveAttribute("aria-valuenow", "40");

  await user.click(screen.getByRole("button", { name: "All 2 values" }));
  const rows = within(await screen.findByRole("table")).getAllByRole("row");
  expect(rows.map((row) => row.textContent)).toEqual(["Contractors30", "Personal60"]);
});

it("tells a block from no limit, and offers no bar for either", async () => {
  renderComponent(
    <RateLimitCard
      subject={grace}
      rateLimit={noLimits}
      inForce={[mockLimit("REQUESTS", [[source.contractors, 0]]), mockLimit("INPUT_TOKENS")]}
    />,
  );
  expect(await screen.findByText("Blocked")).toBeVisible();
  expect(screen.getByText("No limit")).toBeVisible();
  expect(screen.queryByRole("meter")).not.toBeInTheDocument();
});

it("sends zero as a block and an empty field as no limit", async () => {
  const server = stubServer({ SetRateLimit: saved });
  const { user } = renderComponent(
    <RateLimitCard subject={grace} rateLimit={{ ...noLimits, concurrentRequests: 4 }} />,
    { server },
  );
  await user.type(await field("Requests per minute"), "0");
  expect(screen.getByText("Blocked: no call goes through")).toBeVisible();
  await user.clear(await field("Concurrent requests"));
  await user.click(save());
  await screen.findByText(/Rate limit saved/);
  expect(server.lastOf("SetRateLimit")).toEqual({
    expectedVersion: null,
    subject: { userId: "user-2" },
    input: { ...noLimits, requestsPerMinute: 0, concurrentRequests: null },
  });
});

it("refuses what is no whole number at its field, without asking the server", async () => {
  const server = stubServer();
  const { user } = renderComponent(<RateLimitCard subject={grace} rateLimit={noLimits} />, {
    server,
  });
  await user.type(await field("Requests per minute"), "-3");
  await user.click(save());
  expect(await field("Requests per minute")).toHaveAccessibleDescription(/whole number/);
  expect(server.calls).toEqual([]);
});

it("shows the server's refusal at the field that it names and keeps what was typed", async () => {
  const server = stubServer({
    SetRateLimit: refuse("must be at most 2000000000", "invalid_input", "inputTokensPerMinute"),
  });
  const { user } = renderComponent(<RateLimitCard subject={grace} rateLimit={noLimits} />, {
    server,
  });
  await user.type(await field("Input tokens per minute"), "1000000000");
  await user.click(save());
  expect(await screen.findByText("Must be at most 2000000000")).toBeVisible();
  expect(await field("Input tokens per minute")).toHaveValue("1000000000");
  expect(await field("Input tokens per minute")).toBeInvalid();
  expect(save()).toBeEnabled();
});

it("offers saving only once something was changed, and discards back to the server's values", async () => {
  const { user } = renderComponent(
    <RateLimitCard subject={grace} rateLimit={{ ...noLimits, requestsPerMinute: 60 }} />,
  );
  const requests = await field("Requests per minute");
  expect(save()).toBeDisabled();
  await user.type(requests, "0");
  expect(save()).toBeEnabled();
  await user.click(screen.getByRole("button", { name: "Discard" }));
  expect(requests).toHaveValue("60");
  expect(save()).toBeDisabled();
});
