import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import InviteDialog from "@/features/users/components/invite-dialog";
import { mockPage } from "@/test/people";
import { renderComponent } from "@/test/render";
import { stubServer } from "@/test/server";

const groups = mockPage([{ id: "group-1", name: "Contractors", description: "" }]);
const url = (n: number) => `https://gate.example.com/welcome/token-${n}`;

const invited = (email: string, n: number) => ({
  email,
  inviteUrl: url(n),
  user: { id: `user-${n}` },
  error: null,
});

const start = (handlers: Parameters<typeof stubServer>[0] = {}) => {
  const server = stubServer({ GroupPicker: { groups }, ...handlers });
  let closed = 0;
  const view = renderComponent(<InviteDialog onClose={() => (closed += 1)} />, { server });
  return { ...view, view, closed: () => closed };
};

it("invites everybody who was pasted, with role and groups, and shows each link once", async () => {
  const { user, server, closed } = start({
    InviteUsers: {
      inviteUsers: { results: [invited("ada@x.example", 1), invited("grace@x.example", 2)] },
    },
  });
  const addresses = await screen.findByRole("textbox", { name: "E-mail addresses" });
  await user.type(addresses, "Ada <ada@x.example>, grace@x.example");
  expect(screen.getByText("2 addresses found")).toBeVisible();
  await user.click(screen.getByRole("radio", { name: "Admin" }));
  await user.click(screen.getByRole("combobox", { name: "Groups" }));
  await user.click(await screen.findByRole("option", { name: "Contractors" }));
  await user.click(screen.getByRole("button", { name: "Invite 2 users" }));

  expect(await screen.findByText("2 users invited.")).toBeVisible();
  expect(server.lastOf("InviteUsers")).toEqual({
    input: { emails: ["ada@x.example", "grace@x.example"], role: "ADMIN", groupIds: ["group-1"] },
  });
  expect(screen.getByText("Pass these links on now")).toBeVisible();
  expect(screen.getByText(url(1))).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Copy link for ada@x.example" }));
  expect(await navigator.clipboard.readText()).toBe(url(1));

  await user.keyboard("{Escape}");
  expect(closed()).toBe(0);
  await user.click(screen.getByRole("button", { name: "Done" }));
  expect(closed()).toBe(1);
});

it("gives every address its own result and takes the failed ones back to be corrected", async () => {
  const { user } = start({
    InviteUsers: {
      inviteUsers: {
        results: [
          { ...invited("ada@x.example", 1), inviteUrl: null },
          {
            email: "grace@",
            inviteUrl: null,
            user: null,
            error: { code: "invalid_input", message: "'grace@' is not an e-mail address" },
          },
        ],
      },
    },
  });
  await user.type(
    await screen.findByRole("textbox", { name: "E-mail addresses" }),
    "ada@x.example grace@",
  );
  await user.click(screen.getByRole("button", { name: "Invite 2 users" }));
  await screen.findByText("1 user invited, 1 not.");
  const [ada, grace] = within(
    screen.getByRole("list", { name: "Result for each address" }),
  ).getAllByRole("listitem");
  expect(ada).toHaveTextContent("Sent by mail");
  expect(grace).toHaveTextContent("'grace@' is not an e-mail address");
  expect(screen.queryByText("Pass these links on now")).not.toBeInTheDocument();

  await user.click(screen.getByRole("button", { name: "Correct the rest" }));
  expect(await screen.findByRole("textbox", { name: "E-mail addresses" })).toHaveValue("grace@");
});

it("sends no more than a hundred addresses at once", async () => {
  const sizes: number[] = [];
  const { user } = start({
    InviteUsers: ({ input }: { input: { emails: string[] } }) => {
      sizes.push(input.emails.length);
      return { inviteUsers: { results: input.emails.map((email) => invited(email, 1)) } };
    },
  } as never);
  const many = Array.from({ length: 130 }, (_, n) => `u${n}@x.example`).join("\n");
  await user.click(await screen.findByRole("textbox", { name: "E-mail addresses" }));
  await user.paste(many);
  await user.click(screen.getByRole("button", { name: "Invite 130 users" }));
  await screen.findByText("130 users invited.");
  expect(sizes).toEqual([100, 30]);
});

it("takes the addresses from a file, without what else stands in it", async () => {
  const { user, view } = start();
  const addresses = await screen.findByRole("textbox", { name: "E-mail addresses" });
  const input = view.baseElement.querySelector<HTMLInputElement>("input[type=file]");
  const file = new File(["name,email\nAda,ada@x.example\nGrace,grace@x.example"], "people.csv", {
    type: "text/csv",
  });
  await user.upload(input as HTMLInputElement, file);
  await expect.poll(() => (addresses as HTMLTextAreaElement).value).toContain("grace@x.example");
  expect(addresses).toHaveValue("ada@x.example\ngrace@x.example");
});
