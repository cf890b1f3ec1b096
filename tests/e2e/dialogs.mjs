// The main dialogs, menus and drop-downs of the console: where each is, its name, and how it is opened.
import assert from "node:assert/strict";

/** `faults(page, what, within)` looks at what a dialog is opened through; `overlays` is what hangs beside a page. */
export function dialogs({ server, ids, faults, overlays }) {
  return [
    {
      at: "/",
      name: "Search",
      open: async (page) => {
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: "Search" }).fill("mia");
        await page.getByRole("option", { name: /Mia Member/ }).waitFor();
      },
    },
    {
      at: "/account",
      name: /^Create .*token/,
      open: (page) => page.getByRole("button", { name: "Create token" }).first().click(),
    },
    {
      at: "/account",
      name: /^Sign out /,
      open: async (page) => {
        await page
          .getByRole("table", { name: "Sessions" })
          .getByRole("button", { name: /^Sign out / })
          .first()
          .click();
      },
    },
    {
      at: "/admin/users",
      name: "Invite users",
      open: async (page) => {
        await page.getByRole("button", { name: "Invite users" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Invite user" }).click();
        await page.getByText("Enter at least one address").waitFor();
      },
    },
    {
      at: "/admin/users",
      name: "Invitations",
      open: async (page) => {
        await page.getByRole("button", { name: "Invite users" }).click();
        await page.getByRole("textbox", { name: /^E-mail/ }).fill("ivo@demo.example, not an address");
        await page.getByRole("dialog").getByRole("button", { name: /^Invite/ }).click();
      },
    },
    {
      at: "/admin/users",
      name: "Import people from a CSV file",
      open: async (page) => {
        await page.getByRole("button", { name: "Import CSV" }).click();
        const buffer = Buffer.from("email;name;role;groups\nione@demo.example;Ione;member;\nnot an address;;;No such group\n");
        await page.locator('input[type="file"]').setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer });
        await page.getByRole("button", { name: /^Import 1 user/ }).waitFor();
      },
    },
    {
      at: "/admin/users",
      name: "Suspend 2 users?",
      open: async (page) => {
        await page.getByRole("checkbox", { name: "Select Mia Member" }).check();
        await page.getByRole("checkbox", { name: "Select Ada Admin" }).check();
        await page.getByRole("region", { name: "Selected users" }).waitFor();
        assert.deepEqual(await faults(page, "the bar for many users"), []);
        await page.getByRole("button", { name: "More", exact: true }).click();
        await page.getByRole("menuitem", { name: "Remove from group" }).waitFor();
        assert.deepEqual(await faults(page, "what else is done with many users", overlays), []);
        await page.keyboard.press("Escape");
        await page
          .getByRole("region", { name: "Selected users" })
          .getByRole("button", { name: "Suspend" })
          .click();
      },
    },
    {
      at: "/admin/groups/$groupId",
      name: "Edit group",
      open: async (page) => {
        await page.getByRole("button", { name: "Edit", exact: true }).click();
        await page.getByRole("textbox", { name: "Description" }).fill("Typed here");
        await server.ask(
          `mutation ($id: ID!) { updateGroup(input: { id: $id, description: "Saved elsewhere" }) { group { id } } }`,
          { id: ids.groupId },
        );
        await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
        await page.getByText("Somebody changed this while you were editing").waitFor();
      },
    },
    {
      at: "/admin/groups/$groupId",
      name: "Delete Contractors?",
      open: async (page) => {
        await page.getByRole("button", { name: "More actions" }).click();
        await page.getByRole("menuitem", { name: "Delete group" }).click();
      },
    },
    {
      at: "/admin/users/$userId",
      name: "Suspend Mia Member?",
      open: (page) => page.getByRole("button", { name: "Suspend" }).click(),
    },
    {
      at: "/admin/users/$userId",
      name: "End the temporary value now?",
      open: (page) => page.getByRole("button", { name: "End now" }).first().click(),
    },
    {
      at: "/admin/budgets",
      name: "Budget of Mia Member",
      open: (page) => page.getByRole("button", { name: "Edit budget of Mia Member" }).click(),
    },
    {
      at: "/admin/api-keys",
      name: "Revoke Build machine?",
      open: async (page) => {
        await page.getByRole("button", { name: "Actions for Build machine" }).click();
        await page.getByRole("menuitem", { name: "Revoke" }).click();
      },
    },
    {
      at: "/admin/alerts",
      name: "Add webhook",
      open: (page) => page.getByRole("button", { name: "Add webhook" }).first().click(),
    },
    {
      at: "/admin/secret-rules",
      name: "Create rule",
      open: async (page) => {
        await page.getByRole("button", { name: "Create rule" }).click();
        const dialog = page.getByRole("dialog", { name: "Create rule" });
        await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Ticket");
        await dialog.getByRole("textbox", { name: "Pattern" }).fill("(?<!x)TICKET-[0-9]+");
        await dialog.getByRole("button", { name: "Create rule" }).click();
        await dialog.getByText(/^Cannot be used:/).waitFor();
        await dialog.getByRole("textbox", { name: "Sample text" }).fill("TICKET-12");
        await dialog.getByText(/^The pattern cannot be used/).waitFor();
      },
    },
    {
      at: "/admin/secret-rules",
      name: "Edit Badge",
      open: async (page) => {
        await page.getByRole("button", { name: "Actions for Badge" }).click();
        await page.getByRole("menuitem", { name: "Edit" }).click();
        await page.getByRole("dialog").getByRole("textbox", { name: "Sample text" }).fill("BADGE-123456");
        await page.getByText("Refused: 1 match.").waitFor();
      },
    },
    {
      at: "/admin/secret-rules",
      name: "Add from template pack",
      open: async (page) => {
        await page.getByRole("button", { name: "Add from template pack" }).click();
        await page.getByRole("checkbox", { name: "All of Code hosting and packages" }).check();
      },
    },
    {
      at: "/admin/secret-rules",
      name: "Delete Google API key?",
      open: async (page) => {
        await page.getByRole("button", { name: "Actions for Google API key" }).click();
        await page.getByRole("menuitem", { name: "Delete" }).click();
      },
    },
    {
      at: "/admin/users/$userId",
      name: "Sessions of Mia Member",
      open: async (page) => {
        await page.getByRole("button", { name: "More actions" }).click();
        await page.getByRole("menuitem", { name: "Sessions" }).click();
      },
    },
    {
      at: "/admin/users/$userId",
      name: "New password link",
      open: async (page) => {
        await page.getByRole("button", { name: "More actions" }).click();
        await page.getByRole("menuitem", { name: "New password link" }).click();
        await page.getByRole("button", { name: "Make link" }).click();
      },
    },
    {
      at: "/admin/users/$userId",
      name: "Delete Mia Member?",
      open: async (page) => {
        await page.getByRole("button", { name: "More actions" }).click();
        await page.getByRole("menuitem", { name: "Delete user" }).waitFor();
        assert.deepEqual(await faults(page, "the menu of a user", overlays), []);
        await page.getByRole("menuitem", { name: "Delete user" }).click();
      },
    },
    {
      at: "/admin/users/$userId",
      name: "Grant models to Mia Member",
      open: async (page) => {
        await page.getByRole("button", { name: "Add models" }).click();
        await page.getByRole("dialog").getByText("demo-fast").waitFor();
      },
    },
    {
      at: "/admin/users/$userId",
      name: "Change daily cap for a while",
      open: (page) => page.getByRole("button", { name: "Change for a while: daily cap" }).click(),
    },
    {
      at: "/admin/groups",
      name: "Create group",
      open: (page) => page.getByRole("button", { name: "Create group" }).first().click(),
    },
    {
      at: "/admin/groups/$groupId",
      name: "Add members",
      open: (page) => page.getByRole("button", { name: "Add members" }).first().click(),
    },
    {
      at: "/api-keys",
      name: "Create API key",
      open: async (page) => {
        await page.getByRole("button", { name: "Create key" }).first().click();
        await page.getByRole("button", { name: /^Narrow it/ }).click();
        await page.getByRole("radio", { name: "Only some of them" }).click();
      },
    },
    {
      at: "/api-keys",
      name: "Edit API key",
      open: async (page) => {
        await page.getByRole("button", { name: /^Actions for / }).first().click();
        await page.getByRole("menuitem", { name: "Edit or narrow" }).click();
        await page.getByRole("button", { name: /^Narrow it/ }).click();
        await page.getByRole("radio", { name: "Only some of them" }).click();
      },
    },
    {
      at: "/api-keys",
      name: /^New secret for /,
      open: async (page) => {
        await page.getByRole("button", { name: /^Actions for / }).first().click();
        await page.getByRole("menuitem", { name: "New secret" }).click();
      },
    },
    {
      at: "/api-keys",
      name: "The new secret is ready",
      open: async (page) => {
        await page.getByRole("button", { name: /^Actions for / }).first().click();
        await page.getByRole("menuitem", { name: "New secret" }).click();
        await page.getByRole("button", { name: "Make new secret" }).click();
      },
    },
    {
      at: "/admin/providers",
      name: "Add provider",
      open: async (page) => {
        await page.getByRole("button", { name: "Add provider" }).click();
        await page.getByRole("combobox", { name: "Kind" }).click();
        await page.getByRole("option", { name: "OpenAI", exact: true }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Add provider" }).click();
        await page.getByText("can't be called without a key").waitFor();
      },
    },
    {
      at: "/admin/providers/$providerId",
      name: "Edit demo-fast",
      open: async (page) => {
        await page.getByRole("button", { name: "Actions for demo-fast" }).click();
        await page.getByRole("menuitem", { name: "Edit prices and limits" }).click();
      },
    },
    {
      at: "/admin/providers/$providerId",
      name: "Delete Demo?",
      open: (page) => page.getByRole("button", { name: "Delete", exact: true }).click(),
    },
    {
      at: "/admin/models",
      name: "Add model",
      open: async (page) => {
        await page.getByRole("button", { name: "Add model" }).click();
        await page.getByRole("combobox", { name: "Add a backend" }).click();
        await page.getByRole("option", { name: /demo-smart/ }).waitFor();
      },
    },
    {
      at: "/admin/models/$modelId",
      name: "Edit model",
      open: (page) => page.getByRole("button", { name: "Edit" }).click(),
    },
  ];
}
