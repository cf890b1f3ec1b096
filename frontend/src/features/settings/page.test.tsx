import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const setting = (name: string, more: object = {}) => ({
  name: `SLUICEGATE_${name}`,
  description: `What ${name} does.`,
  value: null,
  given: false,
  secret: false,
  ...more,
});

const installation = (mailConfigured: boolean, more: object = {}) => ({
  deployment: {
    version: "0.1.0",
    publicUrl: "https://gate.example.com",
    timeZone: "Europe/Berlin",
    mailConfigured,
  },
  installation: {
    database: "PostgreSQL",
    invitationDays: 7,
    passwordLinkMinutes: 60,
    settings: [
      setting("SMTP_HOST", { value: "mail.example.com", given: true }),
      setting("SMTP_TLS", { value: "starttls" }),
      setting("SMTP_PASSWORD", { given: true, secret: true }),
      setting("KEK_SECONDARY", { secret: true }),
    ],
    encryption: {
      primary: { id: "1a2b3c4d", madeAt: null, credentials: 3 },
      secondary: null,
      unreadable: 0,
    },
    ...more,
  },
  jobs: [
    {
      name: "deliver_mail",
      running: false,
      finishedAt: null,
      dueAt: "2099-01-01T00:00:00.000Z",
      failures: 2,
      error: "connection refused",
    },
  ],
});

const letter = {
  id: "letter-1",
  kind: "INVITATION",
  recipient: "grace@example.com",
  status: "QUEUED",
  attempts: 3,
  createdAt: "2026-11-24T00:00:00.000Z",
  nextAttemptAt: "2099-01-01T00:00:00.000Z",
  finishedAt: null,
  error: "451 later",
  userId: "user-2",
};

const show = (handlers: Parameters<typeof stubServer>[0] = {}) =>
  renderApp("/admin/settings", {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({
      Installation: installation(true),
      Provisioning: { provisioning: { baseUrl: "https://gate.example.com/scim/v2", tokens: [] } },
      MailCounts: { queued: { totalCount: 4 }, failed: { totalCount: 2 } },
      MailLog: { mailDeliveries: mockPage([letter]) },
      SingleSignOn: refuse("not asked for here", "unavailable"),
      ...handlers,
    }),
  });

it("says what is set, by which variable, and never a secret", async () => {
  show();
  const deployment = await screen.findByRole("region", { name: "Deployment" });
  expect(deployment).toHaveTextContent("DatabasePostgreSQLSet by SLUICEGATE_DATABASE_URL");
  const mail = screen.getByRole("region", { name: "Mail" });
  expect(mail).toHaveTextContent("mail.example.com, encrypted by STARTTLS");
  await within(mail).findByText("4");
  const environment = screen.getByRole("table", { name: "Settings" });
  expect(within(environment).getByRole("row", { name: /SMTP_PASSWORD/ })).toHaveTextContent(
    "Set, never shown",
  );
  expect(within(environment).getByRole("row", { name: /KEK_SECONDARY/ })).toHaveTextContent(
    "Not set",
  );
  expect(within(environment).getByRole("row", { name: /SMTP_TLS/ })).toHaveTextContent("Default");
});

it("sends a test mail and tells the outcome, good or bad", async () => {
  const { user, server } = show({
    SendTestMail: refuse("550 no such user", "mail_not_sent", "to"),
  });
  const to = await screen.findByLabelText("Send a test mail to");
  expect(to).toHaveValue("ada@example.com");
  await user.click(screen.getByRole("button", { name: "Send test mail" }));
  expect(await screen.findByText("550 no such user")).toBeVisible();
  expect(to).toBeInvalid();
  server.on({ SendTestMail: { sendTestMail: { to: "ops@example.com" } } });
  await user.clear(to);
  await user.type(to, "ops@example.com");
  await user.click(screen.getByRole("button", { name: "Send test mail" }));
  expect(await screen.findByText(/The mail server took a letter to ops@example.com/)).toBeVisible();
  expect(server.lastOf("SendTestMail")).toEqual({ to: "ops@example.com" });
});

it("tries a waiting letter at once, and narrows the outbox", async () => {
  const { user, server } = show({ RetryMail: { retryMail: { delivery: { id: "letter-1" } } } });
  const outbox = await screen.findByRole("region", { name: "Outbox" });
  expect(await within(outbox).findByText("451 later")).toBeVisible();
  await user.click(within(outbox).getByRole("button", { name: /Try now: letter to grace/ }));
  await screen.findByText("The letter to grace@example.com is on its way.");
  expect(server.lastOf("RetryMail")).toEqual({ id: "letter-1" });
  server.on({ MailLog: { mailDeliveries: mockPage([{ ...letter, status: "FAILED" }]) } });
  await user.selectOptions(within(outbox).getByLabelText("Which letters"), "Failed");
  await expect.poll(() => server.lastOf("MailLog").status).toBe("FAILED");
  await expect
    .poll(() => within(outbox).queryByRole("button", { name: /Try now/ }))
    .not.toBeInTheDocument();
});

it("says what no mail server means, and offers no test then", async () => {
  show({ Installation: installation(false), MailLog: { mailDeliveries: mockPage([]) } });
  const mail = await screen.findByRole("region", { name: "Mail" });
  expect(mail).toHaveTextContent("Not set up");
  expect(within(mail).queryByRole("button", { name: "Send test mail" })).not.toBeInTheDocument();
  expect(await screen.findByText("No letters yet")).toBeVisible();
});

it("warns of credentials that no key opens, and tells when the old key can go", async () => {
  show({
    Installation: installation(true, {
      encryption: {
        primary: { id: "1a2b3c4d", madeAt: "2026-11-01T00:00:00.000Z", credentials: 1 },
        secondary: { id: "99887766", credentials: 0 },
        unreadable: 2,
      },
    }),
  });
  const card = await screen.findByRole("region", { name: "Encryption key" });
  expect(card).toHaveTextContent("2 credentials can't be read");
  expect(card).toHaveTextContent("Nothing needs it any more");
  expect(card).toHaveTextContent("Keep a copy of it");
});

it("shows work that fails with its reason, and finds settings by what they do", async () => {
  const { user } = show();
  expect(await screen.findByRole("row", { name: /Deliver mail/ })).toHaveTextContent(
    "connection refused",
  );
  expect(screen.getByText("Failed 2 times")).toBeVisible();
  await user.type(screen.getByRole("searchbox", { name: "Search settings" }), "tls does");
  await expect
    .poll(() => within(screen.getByRole("table", { name: "Settings" })).getAllByRole("row").length)
    .toBe(2);
});
