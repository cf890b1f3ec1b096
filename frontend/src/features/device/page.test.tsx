import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const asked = {
  userCode: "WDJB-MJHT",
  program: "Claude Code",
  address: "10.0.0.7",
  createdAt: "2026-11-24T12:00:00.000Z",
  expiresAt: "2026-11-24T12:10:00.000Z",
};

it("asks before it lets an assistant in, and tells as whom", async () => {
  const server = stubServer({
    DeviceSignIn: { deviceSignIn: asked },
    AnswerDeviceSignIn: { answerDeviceSignIn: { signIn: { userCode: asked.userCode } } },
  });
  const { user } = renderApp("/device?user_code=WDJB-MJHT", { server });
  await screen.findByRole("heading", { name: "Let Claude Code in?" });
  expect(screen.getByText("WDJB-MJHT")).toBeVisible();
  expect(screen.getByText("10.0.0.7")).toBeVisible();
  expect(server.lastOf("AnswerDeviceSignIn")).toBeUndefined();
  await user.click(screen.getByRole("button", { name: "Let it in" }));
  await screen.findByRole("heading", { name: "Claude Code is signed in" });
  expect(server.lastOf("AnswerDeviceSignIn")).toEqual({ userCode: "WDJB-MJHT", approve: true });
});

it("sends away, and says what to do about a code from somebody else", async () => {
  const server = stubServer({
    DeviceSignIn: { deviceSignIn: asked },
    AnswerDeviceSignIn: { answerDeviceSignIn: { signIn: { userCode: asked.userCode } } },
  });
  const { user } = renderApp("/device?user_code=WDJB-MJHT", { server });
  await user.click(await screen.findByRole("button", { name: "No" }));
  await screen.findByRole("heading", { name: "Sent away" });
  expect(screen.getByText(/tell an administrator/)).toBeVisible();
  expect(server.lastOf("AnswerDeviceSignIn")).toEqual({ userCode: "WDJB-MJHT", approve: false });
});

it("takes a code that is typed, and another after one that is not known", async () => {
  const server = stubServer({
    DeviceSignIn: (variables: { userCode: string }) =>
      variables.userCode === "WDJB MJHT"
        ? { deviceSignIn: asked }
        : refuse("There is no such sign-in with this code.", "not_found", "userCode"),
  });
  const { user } = renderApp("/device", { server });
  await user.type(await screen.findByLabelText("Code"), "wdjb");
  await user.click(screen.getByRole("button", { name: "Continue" }));
  expect(await screen.findByText("Type all eight letters")).toBeVisible();
  await user.type(screen.getByLabelText("Code"), "-mjhx");
  await user.click(screen.getByRole("button", { name: "Continue" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("no such sign-in");
  await user.type(screen.getByLabelText("Code"), "wdjb mjht");
  await user.click(screen.getByRole("button", { name: "Continue" }));
  await screen.findByRole("heading", { name: "Let Claude Code in?" });
});

it("shows a refusal and stays", async () => {
  const server = stubServer({
    DeviceSignIn: { deviceSignIn: asked },
    AnswerDeviceSignIn: refuse("This code has expired. Begin again in the assistant.", "conflict"),
  });
  const { user } = renderApp("/device?user_code=WDJB-MJHT", { server });
  await user.click(await screen.findByRole("button", { name: "Let it in" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("expired");
});
