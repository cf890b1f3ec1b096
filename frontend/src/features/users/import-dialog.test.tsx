import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage, mockUser } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const csv = "email,name\nzoe@example.com,Zoe\n";
const line = (over: object) => ({
  line: 2,
  email: "zoe@example.com",
  action: "INVITED",
  inviteUrl: null,
  changes: [{ field: "name", before: "", after: "Zoe" }],
  error: null,
  ...over,
});
const lines = [
  line({}),
  line({ line: 3, email: "grace@example.com", action: "UNCHANGED", changes: [] }),
  line({ line: 4, email: "x", action: "REFUSED", changes: [], error: { message: "No address." } }),
];

async function choose(handlers: Parameters<typeof stubServer>[0]) {
  const server = stubServer({ UserList: { users: mockPage([mockUser()]) }, ...handlers });
  const app = renderApp("/admin/users", { session: mockSession({ role: "ADMIN" }), server });
  await screen.findByText("Grace Hopper");
  await app.user.click(screen.getByRole("button", { name: "Import CSV" }));
  const dialog = await screen.findByRole("dialog");
  const input = document.querySelector<HTMLInputElement>('input[type="file"]');
  if (!input) throw new Error("There is nothing to choose a file with.");
  await app.user.upload(input, new File([csv], "people.csv", { type: "text/csv" }));
  return { ...app, dialog };
}

it("shows what a file would do, then does just that and gives the links once", async () => {
  const { user, server, dialog } = await choose({
    ImportUsers: (({ input }: { input: { dryRun: boolean } }) => ({
      importUsers: {
        plan: "plan-1",
        lines: input.dryRun
          ? lines
          : [line({ inviteUrl: "https://ai.example.com/welcome/x" }), ...lines.slice(1)],
      },
    })) as never,
  });
  expect(await within(dialog).findByRole("status")).toHaveTextContent(
    "1 left out, 1 invited, 1 unchanged, once you import it.",
  );
  expect(within(dialog).getByRole("region")).toHaveTextContent("line 4Left out: No address.");
  expect(within(dialog).getByRole("region")).toHaveTextContent("New: name Zoe");
  expect(server.lastOf("ImportUsers")).toEqual({ input: { csv, dryRun: true } });
  await user.click(within(dialog).getByRole("button", { name: "Import 1 user" }));
  await within(dialog).findByText("Pass these links on now");
  expect(within(dialog).getByRole("button", { name: /link for zoe@example.com/ })).toBeVisible();
  expect(server.lastOf("ImportUsers")).toEqual({
    input: { csv, dryRun: false, expectedPlan: "plan-1" },
  });
});

it("says what is wrong with a file, and takes another one", async () => {
  const { dialog } = await choose({
    ImportUsers: refuse("must have a column 'email' in its first line", "invalid_input", "csv"),
  });
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("must have a column 'email'");
  expect(within(dialog).getByRole("button", { name: "Choose a file" })).toBeEnabled();
});

it("offers no import of the file before, once another one will not do", async () => {
  const { user, server, dialog } = await choose({
    ImportUsers: { importUsers: { plan: "plan-1", lines } },
  });
  await within(dialog).findByRole("button", { name: "Import 1 user" });
  server.on({ ImportUsers: refuse("is empty", "invalid_input", "csv") });
  const input = document.querySelector<HTMLInputElement>('input[type="file"]');
  await user.upload(input as HTMLInputElement, new File([""], "wrong.csv", { type: "text/csv" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("is empty");
  expect(within(dialog).queryByRole("button", { name: /^Import/ })).not.toBeInTheDocument();
  expect(within(dialog).queryByText(/zoe@example.com/)).not.toBeInTheDocument();
});
