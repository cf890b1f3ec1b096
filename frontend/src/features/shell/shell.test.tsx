import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

it("sends people without a session to sign in and remembers where they were going", async () => {
  const server = stubServer({ Session: refuse("Sign in first.", "unauthenticated") });
  const { path } = renderApp("/admin?x=1", { signedIn: false, server });
  await screen.findByRole("heading", { name: "Sign in" });
  expect(path()).toBe(`/sign-in?next=${encodeURIComponent("/admin?x=1")}`);
});

it("comes back to the page on which the session was found to have ended", async () => {
  const server = stubServer({ Session: refuse("Sign in first.", "unauthenticated") });
  const { path, queryClient } = renderApp("/admin?x=1", { server });
  await screen.findByRole("heading", { name: "For administrators only" });
  await queryClient.invalidateQueries({ queryKey: ["session"] });
  await screen.findByRole("heading", { name: "Sign in" });
  expect(path()).toBe(`/sign-in?next=${encodeURIComponent("/admin?x=1")}`);
});

it("refuses members on administrators' pages and shows them no link there", async () => {
  renderApp("/admin", { session: mockSession({ role: "MEMBER" }) });
  await screen.findByRole("heading", { name: "For administrators only" });
  expect(screen.queryByText("Administration")).not.toBeInTheDocument();
});
