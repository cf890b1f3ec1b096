import { act, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Picture } from "@/features/live/picture";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

/** A stream that tests speak through. */
class FakeSource extends EventTarget {
  static readonly CLOSED = 2;
  static all: FakeSource[] = [];
  static get last(): FakeSource {
    const last = FakeSource.all.at(-1);
    if (!last) throw new Error("nobody watches");
    return last;
  }
  readyState = 0;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSource.all.push(this);
  }

  close(): void {
    this.readyState = FakeSource.CLOSED;
  }

  tell(event: string, data: object = {}): void {
    act(() => {
      this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
    });
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    act(() => {
      this.dispatchEvent(new Event("error"));
    });
  }
}

const open = (): FakeSource[] => FakeSource.all.filter(({ readyState }) => readyState !== 2);

const at = "2026-11-24T09:30:10.000Z";
const nothing: Picture = {
  at,
  everyone: true,
  alone: false,
  inFlight: 0,
  calls: [],
  rates: {
    requests: { second: 0, minute: 0 },
    inputTokens: { second: 0, minute: 0 },
    outputTokens: { second: 0, minute: 0 },
    refusals: { second: 0, minute: 0 },
  },
  nearest: [],
  refused: [],
};
const busy: Picture = {
  ...nothing,
  inFlight: 120,
  calls: [
    {
      id: "c1",
      userId: "u1",
      user: "Grace Hopper <grace@example.com>",
      keyId: "k1",
      key: "laptop (sg_abc…)",
      model: "team-large",
      provider: "Acme",
      providerModel: "large-1",
      clientApp: "claude-code",
      project: null,
      startedAt: "2026-11-24T09:28:05.000Z",
      streamed: true,
      inputTokens: 1200,
      outputTokens: 340,
    },
  ],
  rates: {
    ...nothing.rates,
    requests: { second: 3, minute: 1420 },
    refusals: { second: 0, minute: 2 },
  },
  nearest: [
    {
      kind: "POOL",
      id: "g1",
      name: "Contractors",
      uses: [{ dimension: "REQUESTS", used: 27, limit: 30 }],
    },
  ],
  refused: [
    {
      at: "2026-11-24T09:30:04.000Z",
      count: 2,
      userId: "u1",
      user: "Grace Hopper <grace@example.com>",
      keyId: "k1",
      key: "laptop (sg_abc…)",
      model: "team-large",
      status: 429,
      code: "rate_limit_exceeded",
      message: "Rate limit reached: 30 requests a minute, set by group Contractors.",
      retryAfter: 12,
    },
  ],
};

beforeEach(() => {
  FakeSource.all = [];
  vi.stubGlobal("EventSource", FakeSource);
});
afterEach(() => {
  vi.useRealTimers();
});

const asAdmin = { session: mockSession({ role: "ADMIN" }) };

it("says when it knows of one server alone", async () => {
  renderApp("/admin/live", asAdmin);
  await screen.findByText("Connecting");
  FakeSource.last.tell("picture", busy);
  expect(screen.queryByText("One server alone")).toBeNull();
  FakeSource.last.tell("picture", { ...busy, alone: true });
  expect(screen.getByRole("alert")).toHaveTextContent(/Redis is away/);
  FakeSource.last.tell("picture", busy);
  expect(screen.queryByText("One server alone")).toBeNull();
});

it("shows calls in flight, who is near a limit, and refusals with their reason", async () => {
  renderApp("/admin/live", asAdmin);
  expect(await screen.findByText("Connecting")).toBeVisible();
  expect(FakeSource.last.url).toBe("/events/live?everyone=true");
  FakeSource.last.tell("picture", busy);
  expect(screen.getByRole("status")).toHaveTextContent("Live");
  const call = screen.getByRole("row", { name: /team-large.*claude-code/ });
  expect(within(call).getByRole("link", { name: "Grace Hopper" })).toHaveAttribute(
    "href",
    "/admin/users/u1",
  );
  expect(call).toHaveTextContent("1.2K / 340");
  expect(call).toHaveTextContent("2 min 5 s");
  expect(screen.getByText("The 1 that began first; 119 more are not shown.")).toBeVisible();
  expect(screen.getByRole("region", { name: "Requests a minute" })).toHaveTextContent("1.4K");
  expect(screen.getByRole("meter")).toHaveAttribute("aria-valuenow", "90");
  const refusal = within(screen.getByRole("table", { name: "Refused calls" }));
  expect(refusal.getByText("Rate limit")).toBeVisible();
  expect(refusal.getByText(/set by group Contractors.*Free again after 12 s/)).toBeVisible();
  expect(screen.getByText("2 in the last minute")).toBeVisible();
});

it("says what will show up where nothing happens", async () => {
  renderApp("/admin/live", asAdmin);
  await screen.findByText("Connecting");
  FakeSource.last.tell("picture", nothing);
  expect(screen.getByText("No call is in flight")).toBeVisible();
  expect(screen.getByText("No call was refused")).toBeVisible();
  expect(screen.getByText("No limit is in use")).toBeVisible();
});

it("shows members their own, without names", async () => {
  renderApp("/live");
  await screen.findByText("Connecting");
  expect(FakeSource.last.url).toBe("/events/live");
  const own = { ...busy, everyone: false, rates: { ...busy.rates, refusals: null } };
  FakeSource.last.tell("picture", own);
  expect(screen.queryByText("Grace Hopper")).not.toBeInTheDocument();
  expect(screen.getByRole("row", { name: /team-large.*claude-code/ })).toBeVisible();
});

it("lets go of the stream while it is paused, and when it is left", async () => {
  const { user } = renderApp("/live");
  await screen.findByText("Connecting");
  FakeSource.last.tell("picture", { ...busy, everyone: false });
  await user.click(screen.getByRole("button", { name: "Pause" }));
  expect(screen.getByRole("status")).toHaveTextContent("Paused");
  expect(open()).toEqual([]);
  expect(screen.getByRole("row", { name: /team-large.*claude-code/ })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Resume" }));
  expect(open()).toHaveLength(1);
  await user.click(screen.getByRole("link", { name: "Connect" }));
  await waitFor(() => expect(open()).toEqual([]));
});

it("comes back by itself, ever more slowly, and keeps the last picture meanwhile", async () => {
  renderApp("/admin/live", asAdmin);
  await screen.findByText("Connecting");
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  vi.useFakeTimers();
  FakeSource.last.tell("picture", busy);
  for (const wait of [1000, 2000, 4000]) {
    const tries = FakeSource.all.length;
    FakeSource.last.fail(0);
    expect(screen.getByRole("status")).toHaveTextContent("Reconnecting");
    expect(screen.getByText("claude-code")).toBeVisible();
    act(() => void vi.advanceTimersByTime(wait - 1));
    expect(FakeSource.all).toHaveLength(tries);
    act(() => void vi.advanceTimersByTime(1));
    expect(FakeSource.all).toHaveLength(tries + 1);
  }
  FakeSource.last.tell("picture", nothing);
  expect(screen.getByRole("status")).toHaveTextContent("Live");
  FakeSource.last.tell("end", { reason: "stopping" });
  act(() => void vi.advanceTimersByTime(1000));
  expect(open()).toHaveLength(1);
});

it("takes a stream that says nothing for dead", async () => {
  renderApp("/live");
  await screen.findByText("Connecting");
  vi.useFakeTimers();
  FakeSource.last.tell("picture", nothing);
  act(() => void vi.advanceTimersByTime(20_000));
  FakeSource.last.tell("heartbeat");
  act(() => void vi.advanceTimersByTime(20_000));
  expect(screen.getByRole("status")).toHaveTextContent("Live");
  act(() => void vi.advanceTimersByTime(6_000));
  expect(screen.getByRole("status")).toHaveTextContent("Reconnecting");
});

it("says why the server gives no stream", async () => {
  const message = "You are watching 4 times already; close another live page first.";
  renderApp("/live", { server: stubServer({ "GET /events/live": refuse(message, "throttled") }) });
  await screen.findByText("Connecting");
  FakeSource.last.fail(2);
  expect(await screen.findByText(message)).toBeVisible();
  expect(screen.getByText("Reconnecting")).toBeVisible();
});

it("asks who is signed in when the session has ended, which leads to the sign-in page", async () => {
  const server = stubServer({ Session: refuse("Sign in first.", "unauthenticated") });
  renderApp("/live", { server });
  await screen.findByText("Connecting");
  FakeSource.last.tell("end", { reason: "signed_out" });
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(open()).toEqual([]);
});
