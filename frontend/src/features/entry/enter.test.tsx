import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const inside = {
  Session: mockSession(),
  ApiKeys: { apiKeys: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } },
  UsageReport: refuse("Not now.", "internal"),
  Allowance: refuse("Not now.", "internal"),
};

it("keeps what was typed when sign-in is refused, and then goes on to the page asked for", async () => {
  const refusal = refuse("The e-mail address or the password is wrong.", "unauthenticated");
  const server = stubServer({ ...inside, "POST /auth/sign-in": refusal });
  const { user, path } = renderApp("/sign-in?next=%2Fapi-keys", { signedIn: false, server });
  await user.type(await screen.findByLabelText("E-mail"), "ada@example.com");
  await user.type(screen.getByLabelText("Password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("password is wrong");
  expect(screen.getByLabelText("E-mail")).toHaveValue("ada@example.com");

  server.on({ "POST /auth/sign-in": {} });
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(path()).toBe("/api-keys"));
  const sent = { email: "ada@example.com", password: "correct horse" };
  expect(server.lastOf("POST /auth/sign-in")).toEqual(sent);
});

it("lets an invited person choose name and password, and asks for both before the server is asked", async () => {
  const link = {
    kind: "invite",
    email: "ada@example.com",
    name: "",
    status: "valid",
    password: true,
  };
  const server = stubServer({ ...inside, "GET /auth/link/abc": link, "POST /auth/link/abc": {} });
  const { user, path } = renderApp("/welcome/abc", { signedIn: false, server });
  await user.type(await screen.findByLabelText("Your name"), "Ada");
  await user.type(screen.getByLabelText("Password"), "short");
  await user.click(screen.getByRole("button", { name: "Create account" }));
  expect(await screen.findByText(/^Use at least/)).toBeVisible();
  expect(server.lastOf("POST /auth/link/abc")).toBeUndefined();

  await user.type(screen.getByLabelText("Password"), " but now long enough");
  await user.click(screen.getByRole("button", { name: "Create account" }));
  await waitFor(() => expect(path()).toBe("/"));
  expect(server.lastOf("POST /auth/link/abc")).toEqual({
    name: "Ada",
    password: "short but now long enough",
  });
});
