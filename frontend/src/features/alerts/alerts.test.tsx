import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const alert = (id: string, more: object = {}) => ({
  id,
  subjectKind: "USER",
  subjectLabel: "Ada Lovelace <ada@example.com>",
  userId: "user-1",
  window: "DAY",
  period: "2026-11-24",
  threshold: 80,
  cap: "10",
  spent: "8.125",
  blocks: false,
  setByKind: "GROUP",
  setByLabel: "Contractors",
  at: "2026-11-24T09:00:00.000Z",
  resetsAt: "2099-11-25T00:00:00.000Z",
  ...more,
});
const pool = alert("a2", {
  subjectKind: "POOL",
  subjectLabel: "Compilers",
  userId: null,
  window: "WEEK",
  threshold: 100,
  setByKind: "POOL",
  blocks: true,
});
const notices = (...alerts: object[]) => ({
  alertNotices: {
    ...mockPage(alerts.map((one) => ({ readAt: null, alert: one }))),
    totalCount: alerts.length,
  },
});

it("counts what is new on the bell and leads to it", async () => {
  const server = stubServer({
    UnreadAlerts: { alertNotices: { totalCount: 2 } },
    AlertNotices: notices(alert("a1"), pool),
    MarkAlertsRead: { markAlertsRead: { unread: 1 } },
  });
  const { user, path } = renderApp("/alerts", { server });
  const bell = await screen.findByRole("link", { name: "Alerts, 2 new ones" });
  expect(bell).toHaveAttribute("href", "/alerts");
  const table = await screen.findByRole("table", { name: "Alerts" });
  expect(await within(table).findByText("80 % of your daily cap is spent")).toBeVisible();
  expect(table).toHaveTextContent("$8.13 of $10.00, set by the group Contractors for each member");
  expect(table).toHaveTextContent("100 % of the weekly pool of Compilers is spent");
  expect(table).toHaveTextContent("Calls refused");
  await user.click(screen.getByRole("button", { name: "Mark as read: 80 % of your daily cap" }));
  expect(server.lastOf("MarkAlertsRead")).toEqual({ ids: ["a1"] });
  await user.click(screen.getByRole("button", { name: "Mark all as read" }));
  await waitFor(() => expect(server.lastOf("MarkAlertsRead")).toEqual({ ids: null }));
  await user.click(screen.getByRole("radio", { name: "New" }));
  await waitFor(() => expect(path()).toBe("/alerts?show=unread"));
  await waitFor(() => expect(server.lastOf("AlertNotices").unread).toBe(true));
});

const webhook = {
  id: "w1",
  name: "Pager",
  url: "https://pager.example.com/in",
  subjects: ["USER"],
  enabled: true,
  createdAt: "2026-11-24T00:00:00.000Z",
  secretUpdatedAt: "2026-11-24T00:00:00.000Z",
};
const delivery = {
  id: "d1",
  kind: "ALERT",
  status: "FAILED",
  attempts: 29,
  responseStatus: 503,
  error: "Answered with status 503.",
  createdAt: "2026-11-24T00:00:00.000Z",
  nextAttemptAt: null,
  finishedAt: "2026-11-25T00:00:00.000Z",
  body: "{}",
  webhook: { name: "Pager" },
};

const showAdmin = (handlers: Parameters<typeof stubServer>[0] = {}) =>
  renderApp("/admin/alerts", {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({
      AlertSettings: { alertSettings: { admins: "SHARED" } },
      Webhooks: { webhooks: [webhook] },
      WebhookDeliveries: { webhookDeliveries: mockPage([delivery]) },
      ToldAlerts: { alerts: { ...mockPage([pool]), totalCount: 1 } },
      ...handlers,
    }),
  });

it("lets administrators choose what they get", async () => {
  const { user, server } = showAdmin({
    SetAlertSettings: { setAlertSettings: { admins: "POOLS" } },
  });
  expect(await screen.findByRole("radio", { name: "Those of groups" })).toBeChecked();
  server.on({ AlertSettings: { alertSettings: { admins: "POOLS" } } });
  await user.click(screen.getByRole("radio", { name: "Pools only" }));
  expect(server.lastOf("SetAlertSettings")).toEqual({ admins: "POOLS" });
  await waitFor(() => expect(screen.getByRole("radio", { name: "Pools only" })).toBeChecked());
});

it("adds a webhook, shows its secret once, and puts a refusal at its field", async () => {
  const { user, server } = showAdmin({
    CreateWebhook: refuse("10.0.0.1 is a private address", "invalid_input", "url"),
  });
  await user.click(await screen.findByRole("button", { name: "Add webhook" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "Chat");
  await user.type(within(dialog).getByLabelText("Address"), "https://10.0.0.1/x");
  await user.click(within(dialog).getByRole("checkbox", { name: "API keys" }));
  await user.click(within(dialog).getByRole("button", { name: "Add webhook" }));
  expect(await within(dialog).findByText("10.0.0.1 is a private address")).toBeVisible();
  expect(server.lastOf("CreateWebhook")).toEqual({
    input: { name: "Chat", url: "https://10.0.0.1/x", subjects: ["USER", "POOL"], enabled: true },
  });
  server.on({ CreateWebhook: { createWebhook: { secret: "whsec_abc", webhook } } });
  await user.click(within(dialog).getByRole("button", { name: "Add webhook" }));
  expect(await screen.findByLabelText("Your new secret")).toHaveValue("whsec_abc");
});

it("tests a webhook and says what it answered, good or bad", async () => {
  const answer = {
    id: "t",
    status: "FAILED",
    responseStatus: 404,
    error: "Answered with status 404.",
  };
  const { user, server } = showAdmin({ TestWebhook: { testWebhook: { delivery: answer } } });
  await user.click(await screen.findByRole("button", { name: "Send a test to Pager" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent(
    "Pager did not take the test message. Answered with status 404.",
  );
  await user.keyboard("{Escape}");
  server.on({
    TestWebhook: {
      testWebhook: {
        delivery: { ...answer, status: "DELIVERED", responseStatus: 200, error: null },
      },
    },
  });
  await user.click(screen.getByRole("button", { name: "Send a test to Pager" }));
  expect(
    await screen.findByText(/took the test message and answered with status 200/),
  ).toBeVisible();
});

it("changes, rotates and deletes a webhook", async () => {
  const { user, server } = showAdmin({
    UpdateWebhook: { updateWebhook: { webhook } },
    RotateWebhookSecret: { rotateWebhookSecret: { secret: "whsec_new", webhook } },
    DeleteWebhook: { deleteWebhook: { id: "w1" } },
  });
  await user.click(await screen.findByRole("button", { name: "Edit Pager" }));
  await user.click(await screen.findByRole("switch", { name: "On" }));
  await user.click(screen.getByRole("button", { name: "Save webhook" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateWebhook").input).toMatchObject({ id: "w1", enabled: false }),
  );
  await user.click(screen.getByRole("button", { name: "New secret for Pager" }));
  await user.click(await screen.findByRole("button", { name: "Make a new secret" }));
  expect(await screen.findByLabelText("Your new secret")).toHaveValue("whsec_new");
  await user.click(screen.getByRole("button", { name: "Done" }));
  await user.click(screen.getByRole("button", { name: "Delete Pager" }));
  await user.click(await screen.findByRole("button", { name: "Delete webhook" }));
  await waitFor(() => expect(server.lastOf("DeleteWebhook")).toEqual({ id: "w1" }));
});

it("tells the outcome of every delivery and tries again", async () => {
  const { user, server } = showAdmin({
    RetryWebhookDelivery: { retryWebhookDelivery: { delivery } },
  });
  const log = await screen.findByRole("table", { name: "Delivery log" });
  expect(await within(log).findByText("Failed")).toBeVisible();
  expect(log).toHaveTextContent("Alert · Answered with status 503.");
  expect(log).toHaveTextContent("29 tries");
  await user.click(within(log).getByRole("button", { name: "Try now: message to Pager" }));
  expect(server.lastOf("RetryWebhookDelivery")).toEqual({ id: "d1" });
  await user.selectOptions(screen.getByLabelText("Which deliveries"), "Delivered");
  await waitFor(() => expect(server.lastOf("WebhookDeliveries").status).toBe("DELIVERED"));
  expect(await screen.findByText("100 % of the weekly pool of Compilers")).toBeVisible();
  expect(screen.getByText("Refused until reset")).toBeVisible();
});
