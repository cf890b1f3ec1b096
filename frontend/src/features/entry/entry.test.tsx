import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const show = (at: string, handlers: Parameters<typeof stubServer>[0]) =>
  renderApp(at, { signedIn: false, server: stubServer(handlers) });
const link = (kind: string, status: string) => ({
  kind,
  status,
  email: "grace@example.com",
  name: "Grace",
  password: true,
});

it.each([
  ["expired", /expired/, "Ask for a new link"],
  ["replaced", /newer link/, "Ask for a new link"],
  ["unknown", /not known/, "Ask for a new link"],
  ["used", /used already/, "Go to sign-in"],
])("explains a link that is %s and says where to go on", async (status, title, way) => {
  show("/reset/token", { "GET /auth/link/token": link("reset", status) });
  await screen.findByRole("heading", { name: title });
  expect(screen.getByRole("link", { name: way })).toHaveAttribute(
    "href",
    way === "Go to sign-in" ? "/sign-in" : "/forgot-password",
  );
});

it("sends people with a dead invitation to an administrator, not to the forgotten passwords", async () => {
  show("/welcome/token", { "GET /auth/link/token": link("invite", "replaced") });
  await screen.findByText(/another invitation after this one/);
  expect(screen.getByRole("link", { name: "Go to sign-in" })).toBeVisible();
});

it("sets a new password without asking for a name, and shows what is wrong with it at its field", async () => {
  const { user, server } = show("/reset/token", {
    "GET /auth/link/token": link("reset", "valid"),
    "POST /auth/link/token": refuse("is too easy to guess", "invalid_input", "password"),
  });
  await screen.findByRole("heading", { name: "Choose a new password" });
  expect(screen.queryByLabelText("Your name")).toBeNull();
  await user.type(screen.getByLabelText("Password"), "short");
  await user.click(screen.getByRole("button", { name: "Set password" }));
  expect(await screen.findByText("Use at least 12 characters")).toBeVisible();
  expect(server.lastOf("POST /auth/link/token")).toBeUndefined();
  await user.type(screen.getByLabelText("Password"), " but longer now");
  await user.click(screen.getByRole("button", { name: "Set password" }));
  expect(await screen.findByText(/too easy to guess/)).toBeVisible();
  expect(server.lastOf("POST /auth/link/token")).toMatchObject({
    password: "short but longer now",
  });
});

it("says the same of every address, whether it has an account or not", async () => {
  const { user, server } = show("/forgot-password", {
    "GET /auth/help": { resetByMail: true },
    "POST /auth/forgot": { resetByMail: true },
  });
  await user.type(await screen.findByLabelText("E-mail"), " nobody@example.com");
  await user.click(screen.getByRole("button", { name: "Send the link" }));
  await screen.findByRole("heading", { name: "Look into your mailbox" });
  expect(screen.getByText("nobody@example.com")).toBeVisible();
  expect(server.lastOf("POST /auth/forgot")).toEqual({ email: "nobody@example.com" });
});

it("shows a refusal above the form and keeps the address", async () => {
  const { user } = show("/forgot-password", {
    "GET /auth/help": { resetByMail: true },
    "POST /auth/forgot": refuse("Too many tries. Wait 200 seconds, then try again.", "throttled"),
  });
  await user.type(await screen.findByLabelText("E-mail"), "grace@example.com");
  await user.click(screen.getByRole("button", { name: "Send the link" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Too many tries");
  expect(screen.getByLabelText("E-mail")).toHaveValue("grace@example.com");
});

it("sends people to an administrator where no mail is sent", async () => {
  show("/forgot-password", { "GET /auth/help": { resetByMail: false } });
  await screen.findByText(/Ask an administrator/);
  expect(screen.queryByLabelText("E-mail")).toBeNull();
});

it("is found from the sign-in page", async () => {
  show("/sign-in", { "GET /auth/session": { authenticated: false } });
  expect(await screen.findByRole("link", { name: "Forgot your password?" })).toHaveAttribute(
    "href",
    "/forgot-password",
  );
});
