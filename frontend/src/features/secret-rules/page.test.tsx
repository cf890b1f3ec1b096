import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const rule = {
  id: "r1",
  name: "AWS access key ID",
  description: "Of our cloud",
  pattern: "AKIA[A-Z2-7]{16}",
  action: "REDACT",
  check: "NONE",
  enabled: true,
  template: "aws-access-key-id",
  version: 3,
  recentCalls: 12,
};
const finding = {
  id: "f1",
  at: "2026-11-24T09:00:00.000Z",
  ruleName: "AWS access key ID",
  action: "REDACT",
  matches: 2,
  userLabel: "Mia Member",
  keyLabel: "laptop",
  modelSlug: "fast",
  user: { id: "mia" },
};
const packs = [
  {
    key: "cloud",
    name: "Cloud platforms",
    description: "Credentials of clouds.",
    templates: [
      { key: "aws-access-key-id", name: "AWS", description: "Key IDs.", action: "REDACT" },
      { key: "google-api-key", name: "Google API key", description: "Keys.", action: "REDACT" },
      { key: "do-token", name: "DigitalOcean token", description: "Tokens.", action: "BLOCK" },
    ],
  },
  {
    key: "code",
    name: "Code hosting",
    description: "Tokens of code hosting.",
    templates: [{ key: "npm-token", name: "npm token", description: "Tokens.", action: "REDACT" }],
  },
];

const show = (rules: object[], handlers: Parameters<typeof stubServer>[0] = {}) =>
  renderApp("/admin/secret-rules", {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({
      SecretRules: { secretRules: rules },
      SecretFindings: { secretFindings: mockPage([]) },
      SecretRulePacks: { secretRulePacks: packs },
      ...handlers,
    }),
  });

async function choose(user: ReturnType<typeof show>["user"], item: string) {
  await user.click(await screen.findByRole("button", { name: "Actions for AWS access key ID" }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
  return screen.findByRole("dialog");
}

it("lists rules with what they look for, what they do and how often, and what they found", async () => {
  show([rule, { ...rule, id: "r2", name: "Off", enabled: false }], {
    SecretFindings: { secretFindings: mockPage([finding]) },
  });
  const row = await screen.findByRole("row", { name: /AWS access key ID.*AKIA/ });
  expect(row).toHaveTextContent("AKIA[A-Z2-7]{16}");
  expect(row).toHaveTextContent("Redact");
  expect(row).toHaveTextContent("12");
  expect(within(row).getByRole("switch")).toBeChecked();
  expect(screen.getByRole("switch", { name: "Look for Off" })).not.toBeChecked();
  const findings = screen.getByRole("table", { name: "Findings" });
  expect(await within(findings).findByText("2 matches")).toBeVisible();
  expect(within(findings).getByRole("link", { name: "Mia Member" })).toHaveAttribute(
    "href",
    "/admin/users/mia",
  );
});

it("narrows findings by rule, action, user and time, and keeps that in the address", async () => {
  const { server, user, path } = show([rule], {
    SecretFindings: { secretFindings: mockPage([]) },
    UsageWhose: {
      users: { edges: [{ node: { id: "mia", name: "Mia Member", email: "mia@example.com" } }] },
      groups: { edges: [{ node: { id: "g1", name: "Miners" } }] },
    },
    UsageUser: { user: { id: "mia", name: "Mia Member", email: "mia@example.com" } },
  });
  expect(await screen.findByText("Nothing found yet")).toBeVisible();
  expect(server.lastOf("SecretFindings")).toEqual({
    after: null,
    ruleId: null,
    userId: null,
    action: null,
    since: null,
    until: null,
  });
  await user.selectOptions(screen.getByLabelText("Rule"), "AWS access key ID");
  await user.selectOptions(screen.getByLabelText("What became of the call"), "Block");
  await user.click(screen.getByRole("button", { name: "In whose calls: Anyone" }));
  await user.click(await screen.findByRole("option", { name: /Mia Member/ }));
  expect(screen.queryByRole("option", { name: "Miners" })).not.toBeInTheDocument();
  await user.selectOptions(screen.getByLabelText("Time"), "Days of your choice");
  fireEvent.change(screen.getByLabelText("From day"), { target: { value: "2026-11-23" } });
  fireEvent.change(screen.getByLabelText("To day"), { target: { value: "2026-11-24" } });
  await waitFor(() =>
    expect(server.lastOf("SecretFindings")).toMatchObject({
      ruleId: rule.id,
      userId: "mia",
      action: "BLOCK",
      since: "2026-11-23T00:00:00.000Z",
      until: "2026-11-25T00:00:00.000Z",
    }),
  );
  expect(path()).toBe(
    `/admin/secret-rules?rule=${rule.id}&action=BLOCK&user=mia&from=2026-11-23&to=2026-11-24`,
  );
  expect(await screen.findByText("No such findings")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Clear" }));
  await waitFor(() => expect(path()).toBe("/admin/secret-rules"));
});

it("says what rules are for where there are none, and offers templates", async () => {
  const { server, user } = show([], {
    AddSecretRulePack: { addSecretRulePack: { rules: [] } },
  });
  expect(await screen.findByText("No rules yet")).toBeVisible();
  expect(screen.queryByText("Try rules")).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Add from template pack" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(await within(dialog).findByRole("checkbox", { name: "All of Cloud platforms" }));
  await user.click(within(dialog).getByRole("checkbox", { name: /^DigitalOcean token/ }));
  await user.click(within(dialog).getByRole("checkbox", { name: /^npm token/ }));
  await user.click(within(dialog).getByRole("button", { name: "Add 3 rules" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  const asked = server.calls.filter(({ name }) => name === "AddSecretRulePack");
  expect(asked.map(({ variables }) => variables.input)).toEqual([
    { pack: "cloud", templates: ["aws-access-key-id", "google-api-key"] },
    { pack: "code", templates: ["npm-token"] },
  ]);
});

it("does not offer templates that are rules already, and tells why they could not be added", async () => {
  const { user } = show([rule], { AddSecretRulePack: refuse("There can be at most 200 rules") });
  await user.click(await screen.findByRole("button", { name: "Add from template pack" }));
  const dialog = await screen.findByRole("dialog");
  const there = await within(dialog).findByRole("checkbox", { name: /^AWS.*Added already/ });
  expect(there).toBeDisabled();
  await user.click(within(dialog).getByRole("checkbox", { name: /^Google API key/ }));
  await user.click(within(dialog).getByRole("button", { name: "Add 1 rule" }));
  expect(await within(dialog).findByText("There can be at most 200 rules")).toBeVisible();
});

it("creates a rule, and shows what is wrong with its pattern at the field", async () => {
  const { server, user } = show([rule], {
    CreateSecretRule: refuse(
      "cannot be used: look-around cannot be matched in linear time (at character 1)",
      "invalid_input",
      "pattern",
    ),
  });
  await user.click(await screen.findByRole("button", { name: "Create rule" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Create rule" }));
  expect(await within(dialog).findByText("Give the rule a name")).toBeVisible();
  expect(within(dialog).getByText("Enter what to look for")).toBeVisible();
  await user.type(within(dialog).getByLabelText("Name"), "Badge");
  await user.click(within(dialog).getByLabelText("Pattern"));
  await user.paste("(?=BADGE)\n");
  await user.click(within(dialog).getByRole("radio", { name: "Block" }));
  await user.click(within(dialog).getByRole("checkbox", { name: /check digit/ }));
  await user.click(within(dialog).getByRole("button", { name: "Create rule" }));
  expect(await within(dialog).findByText(/^Cannot be used: look-around/)).toBeVisible();
  expect(within(dialog).getByLabelText("Pattern")).toBeInvalid();
  expect(server.lastOf("CreateSecretRule").input).toEqual({
    name: "Badge",
    description: "",
    pattern: "(?=BADGE)",
    action: "BLOCK",
    check: "LUHN",
    enabled: true,
  });
  server.on({ CreateSecretRule: { createSecretRule: { rule: { id: "r9" } } } });
  await user.click(within(dialog).getByRole("button", { name: "Create rule" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
});

it("turns a rule off as the version that was shown", async () => {
  const { server, user } = show([rule], {
    UpdateSecretRule: { updateSecretRule: { rule: { id: "r1" } } },
  });
  const onOff = await screen.findByRole("switch", { name: "Look for AWS access key ID" });
  server.on({ SecretRules: { secretRules: [{ ...rule, enabled: false, version: 4 }] } });
  await user.click(onOff);
  expect(server.lastOf("UpdateSecretRule")).toEqual({
    input: { id: "r1", enabled: false, expectedVersion: 3 },
  });
  await waitFor(() => expect(onOff).not.toBeChecked());
  expect(await screen.findByText(/is off\. Calls are not looked through for it/)).toBeVisible();
});

it("keeps what was typed when somebody else changed the rule meanwhile", async () => {
  const { server, user } = show([rule], {
    UpdateSecretRule: refuse("Stale. Ada changed it at 9:00 UTC. Read it again.", "stale_version"),
  });
  const dialog = await choose(user, "Edit");
  server.on({ SecretRules: { secretRules: [{ ...rule, version: 4, action: "LOG" }] } });
  await user.click(within(dialog).getByRole("radio", { name: "Block" }));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByText("Ada changed it at 9:00 UTC.")).toBeVisible();
  expect(within(dialog).getByText(/^Action: now/)).toHaveTextContent(
    "Action: now Log, you entered Block",
  );
  server.on({ UpdateSecretRule: { updateSecretRule: { rule: { id: "r1" } } } });
  await user.click(within(dialog).getByRole("button", { name: "Keep mine" }));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(server.lastOf("UpdateSecretRule").input).toMatchObject({
    id: "r1",
    action: "BLOCK",
    expectedVersion: 4,
  });
});

it("says what deleting a rule lets out", async () => {
  const { server, user } = show([rule], { DeleteSecretRule: { deleteSecretRule: { id: "r1" } } });
  const dialog = await choose(user, "Delete");
  expect(dialog).toHaveTextContent("what it took out goes to providers");
  expect(dialog).toHaveTextContent("It matched in 12 calls of the last seven days");
  server.on({ SecretRules: { secretRules: [] } });
  await user.click(within(dialog).getByRole("button", { name: "Delete rule" }));
  expect(await screen.findByText("No rules yet")).toBeVisible();
  expect(server.lastOf("DeleteSecretRule")).toEqual({ id: "r1" });
});

const trial = {
  matches: 1,
  action: "REDACT",
  sent: "id [REDACTED: AWS access key ID]!",
  fault: null,
  position: null,
  parts: [
    { text: "id ", rules: [], action: null },
    { text: "AKIAIOSFODNN7EXAMPLE", rules: ["AWS access key ID"], action: "REDACT" },
    { text: "!", rules: [], action: null },
  ],
};

it("tries all rules or one of them on a text", async () => {
  const { server, user } = show([rule], { SecretRuleTrial: { secretRuleTrial: trial } });
  await user.click(await screen.findByLabelText("Sample text"));
  await user.paste("id AKIAIOSFODNN7EXAMPLE!");
  expect(await screen.findByText(/^Redacted: 1 match\./)).toHaveTextContent(
    "Found by: AWS access key ID.",
  );
  expect(server.lastOf("SecretRuleTrial")).toEqual({
    text: "id AKIAIOSFODNN7EXAMPLE!",
    draft: null,
  });
  expect(screen.getByText("AKIAIOSFODNN7EXAMPLE").tagName).toBe("MARK");
  expect(screen.getByRole("region", { name: "What goes on" })).toHaveTextContent(trial.sent);
  server.on({
    SecretRuleTrial: { secretRuleTrial: { ...trial, action: "BLOCK", sent: null } },
  });
  await user.selectOptions(screen.getByLabelText("Rules to try"), "AWS access key ID alone");
  expect(await screen.findByText(/^Refused: 1 match\./)).toBeVisible();
  expect(screen.queryByRole("region", { name: "What goes on" })).not.toBeInTheDocument();
  expect(server.lastOf("SecretRuleTrial").draft).toEqual({
    name: rule.name,
    pattern: rule.pattern,
    action: "REDACT",
    check: "NONE",
  });
  server.on({
    SecretRuleTrial: { secretRuleTrial: { ...trial, matches: 0, action: null, parts: [] } },
  });
  await user.selectOptions(screen.getByLabelText("Rules to try"), "All that are on");
  await user.type(screen.getByLabelText("Sample text"), "?");
  expect(await screen.findByText(/^Nothing matches/)).toBeVisible();
});

it("tries a rule while it is written, and says why its pattern is none", async () => {
  const { server, user } = show([rule], {
    SecretRuleTrial: {
      secretRuleTrial: {
        ...trial,
        matches: 0,
        action: null,
        sent: null,
        parts: [],
        fault: "a group is not closed by )",
        position: 5,
      },
    },
  });
  await user.click(await screen.findByRole("button", { name: "Create rule" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByLabelText("Sample text"));
  await user.paste("BADGE-1");
  await user.click(within(dialog).getByLabelText("Pattern"));
  await user.paste("BADGE(");
  expect(
    await within(dialog).findByText(
      /cannot be used: a group is not closed by \) \(at character 6\)/,
    ),
  ).toBeVisible();
  expect(server.lastOf("SecretRuleTrial")).toEqual({
    text: "BADGE-1",
    draft: { name: "this rule", pattern: "BADGE(", action: "REDACT", check: "NONE" },
  });
});

it("says when rules cannot be loaded, and tries again", async () => {
  const { server, user } = show([], { SecretRules: refuse("The database is away", "internal") });
  expect(await screen.findByText("The database is away")).toBeVisible();
  server.on({ SecretRules: { secretRules: [rule] } });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("switch", { name: "Look for AWS access key ID" })).toBeVisible();
});
