import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { ProvisioningCard } from "@/features/provisioning/card";
import { renderComponent } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const baseUrl = "https://gate.example.com/scim/v2";
const token = {
  id: "okta",
  name: "Okta",
  prefix: "sgp_Abc",
  status: "ACTIVE",
  createdAt: "2026-11-24T00:00:00.000Z",
  createdBy: "Ada Lovelace <ada@example.com>",
  lastUsedAt: null,
  previousPrefix: null,
  previousExpiresAt: null,
};

const show = (tokens: object[], handlers: Parameters<typeof stubServer>[0] = {}) =>
  renderComponent(<ProvisioningCard />, {
    server: stubServer({ Provisioning: { provisioning: { baseUrl, tokens } }, ...handlers }),
  });

it("says where to, and what to do when there is no token", async () => {
  const { user } = show([]);
  expect(await screen.findByText("No identity provider yet")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Copy base address" }));
  expect(await navigator.clipboard.readText()).toBe(baseUrl);
});

it("makes a token with a name and shows it once", async () => {
  const { user, server } = show([], {
    CreateScimToken: refuse(
      "There are 20 provisioning tokens already; revoke one first.",
      "conflict",
    ),
  });
  await user.click(await screen.findByRole("button", { name: "Create token" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  expect(await dialog.findByText("Say whose it is")).toBeVisible();
  await user.type(dialog.getByLabelText("Name"), " Okta ");
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  expect(await dialog.findByText(/There are 20 provisioning tokens/)).toBeVisible();
  server.on({
    CreateScimToken: { createScimToken: { secret: "sgp_secret", token: { id: "okta" } } },
    Provisioning: { provisioning: { baseUrl, tokens: [token] } },
  });
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  expect(await screen.findByLabelText("Your new token")).toHaveValue("sgp_secret");
  expect(server.lastOf("CreateScimToken")).toEqual({ name: "Okta" });
  await user.click(screen.getByRole("button", { name: "Done" }));
  expect(await screen.findByRole("row", { name: /Okta/ })).toHaveTextContent("Never");
});

it("rotates a token, with the old secret ending when that was chosen", async () => {
  const { user, server } = show([token], {
    RotateScimToken: {
      rotateScimToken: {
        secret: "sgp_other",
        token: { id: "okta", prefix: "sgp_Xyz", previousPrefix: null, previousExpiresAt: null },
      },
    },
  });
  await user.click(await screen.findByRole("button", { name: "Rotate Okta" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.selectOptions(dialog.getByRole("combobox"), "Not at all: it ends at once");
  await user.click(dialog.getByRole("button", { name: "Make new secret" }));
  expect(await screen.findByText("The old secret does not work any more.")).toBeVisible();
  expect(server.lastOf("RotateScimToken")).toEqual({ id: "okta", overlapHours: 0 });
});

it("tells of a secret that still works, and revokes after asking", async () => {
  const overlapping = {
    ...token,
    previousPrefix: "sgp_Old",
    previousExpiresAt: "2099-01-01T00:00:00.000Z",
  };
  const { user, server } = show([overlapping], {
    RevokeScimToken: { revokeScimToken: { token: { id: "okta", status: "REVOKED" } } },
  });
  expect(await screen.findByRole("row", { name: /sgp_Old… ends/ })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Revoke Okta" }));
  server.on({
    Provisioning: { provisioning: { baseUrl, tokens: [{ ...token, status: "REVOKED" }] } },
  });
  await user.click(await screen.findByRole("button", { name: "Revoke token" }));
  expect(await screen.findByText("Okta is revoked.")).toBeVisible();
  expect(server.lastOf("RevokeScimToken")).toEqual({ id: "okta" });
  expect(await screen.findByText("Revoked")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Rotate Okta" })).not.toBeInTheDocument();
});
