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
  renderComponent(
    <RateLimitCard
      subject={grace}
      rateLimit={{ ...noLimits, requestsPerMinute: 60 }}
      inForce={[limit]}
    />,
  );
  expect(await field("Requests per minute")).toHaveValue("60");
  expect(screen.getByText("12 in the last minute")).toBeVisible();
  expect(screen.getByText(/Set by group/)).toHaveTextContent("Set by group Contractors");
  for (const link of screen.getAllByRole("link", { name: "Contractors" }))
    expect(link).toHaveAttribute("href", "/admin/groups/group-1");
  expect(screen.getByRole("meter")).toHaveAttribute("aria-valuenow", "40");
  const groups = screen.getByRole("list", { name: "Requests per minute by group" });
  expect(within(groups).getAllByRole("listitem")).toHaveLength(1);
  expect(groups).toHaveTextContent("Contractors30");
});

it("shows the three strictest of many groups, and all of them when asked", async () => {
  const groups = [10, 20, 30, 40].map((value) => {
    const name = `Group ${value}`;
    return [{ ...source.contractors, id: name, name }, value] satisfies [object, number];
  });
  const { user } = renderComponent(
    <RateLimitCard
      subject={grace}
      rateLimit={noLimits}
      inForce={[mockLimit("REQUESTS", groups)]}
    />,
  );
  const few = await screen.findByRole("list", { name: "Requests per minute by group" });
  expect(few).toHaveTextContent("Group 1010Group 2020Group 3030");
  expect(few).not.toHaveTextContent("Group 40");
  await user.click(screen.getByRole("button", { name: "All 4 groups" }));
  const all = await screen.findByRole("list", { name: "Requests per minute by every group" });
  expect(all).toHaveTextContent("Group 4040");
});

it("tells a block from no limit, and offers no bar for either", async () => {
  renderComponent(
    <RateLimitCard
      subject={grace}
      rateLimit={noLimits}
      inForce={[mockLimit("REQUESTS", [[source.contractors, 0]]), mockLimit("INPUT_TOKENS")]}
    />,
  );
  const groups = await screen.findByRole("list", { name: "Requests per minute by group" });
  expect(groups).toHaveTextContent("ContractorsBlocked");
  expect(screen.getAllByText("Blocked")).toHaveLength(2);
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
