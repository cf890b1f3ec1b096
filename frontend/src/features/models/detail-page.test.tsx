import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Holder, Model } from "@/features/models/queries";
import { mockBackend, mockModel, mockOffer, mockPage } from "@/test/catalog";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const holders: Holder[] = [
  {
    id: "g1",
    createdAt: "2026-11-01T08:00:00Z",
    user: null,
    group: { id: "group-1", name: "Engineering", memberCount: 4 },
  },
  {
    id: "g2",
    createdAt: "2026-11-01T08:00:00Z",
    user: { id: "user-2", name: "", email: "mia@example.com", status: "INVITED" },
    group: null,
  },
];

function openModel(model: Model | null = mockModel(), more: Record<string, unknown> = {}) {
  const server = stubServer({
    ModelDetail: { model },
    ModelHolders: { model: model && { id: model.id, grants: mockPage(holders) } },
    ModelList: { models: mockPage([]) },
    ProviderModelOptions: {
      providers: { edges: [{ node: { id: "p", name: "P", models: [mockOffer("gpt-5")] } }] },
    },
    UpdateModel: { updateModel: { model } },
    ...more,
  });
  return renderApp("/admin/models/model-1", { session: mockSession({ role: "ADMIN" }), server });
}

it("tells who was granted a model, groups and people, with a way there", async () => {
  openModel();
  const group = await screen.findByRole("link", { name: "Engineering" });
  expect(group).toHaveAttribute("href", "/admin/groups/group-1");
  expect(group.closest("tr")).toHaveTextContent("Group of 4 members");
  const person = screen.getByRole("link", { name: "mia@example.com" });
  expect(person).toHaveAttribute("href", "/admin/users/user-2");
});

it("says why an active model is not served", async () => {
  openModel(mockModel({ backends: [mockBackend("gpt-5", 0, 1, "The provider is disabled")] }));
  await screen.findByText("Calls are refused although it is active");
  screen.getByText("No backend can be called now: the provider is disabled.");
});

it("saves backends only once they were changed, and can drop the change", async () => {
  const backends = [mockBackend("a"), mockBackend("b", 1)];
  const { user, server } = openModel(mockModel({ backends }));
  const save = await screen.findByRole("button", { name: "Save backends" });
  expect(save).toBeDisabled();
  await user.click(screen.getByRole("button", { name: "Try b earlier" }));
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(save).toBeDisabled();
  await user.click(screen.getByRole("button", { name: "Try b earlier" }));
  await user.click(screen.getByRole("button", { name: "Try b earlier" }));
  await user.click(save);
  await waitFor(() =>
    expect(server.lastOf("UpdateModel")).toEqual({
      input: {
        id: "model-1",
        backends: [
          { providerModelId: "pm-b", priority: 0, weight: 1 },
          { providerModelId: "pm-a", priority: 1, weight: 1 },
        ],
        expectedVersion: 4,
      },
    }),
  );
});

const stale = refuse(
  "This was changed since you loaded it: it is at version 5 now, and your edit began at 4. Bob <bob@example.com> changed backends at 2026-11-24 12:00 UTC. Load it again, and repeat what you still want.",
  "stale_version",
  "expectedVersion",
);

it("keeps backends as arranged when somebody else was quicker, shows both, and saves after a choice", async () => {
  const backends = [mockBackend("a"), mockBackend("b", 1)];
  const { user, server } = openModel(mockModel({ backends }), { UpdateModel: stale });
  await user.click(await screen.findByRole("button", { name: "Try b earlier" }));
  server.on({
    ModelDetail: { model: mockModel({ backends: [mockBackend("a", 0, 9)], version: 5 }) },
  });
  await user.click(screen.getByRole("button", { name: "Save backends" }));
  const notice = await screen.findByRole("alert");
  expect(notice).toHaveTextContent("Bob <bob@example.com> changed backends");
  expect(notice).toHaveTextContent(
    "Backends: now a (weight 9), you entered a (weight 1) or b (weight 1)",
  );
  expect(screen.getByRole("button", { name: "Save backends" })).toBeDisabled();
  server.on({ UpdateModel: { updateModel: { model: mockModel() } } });
  await user.click(screen.getByRole("button", { name: "Keep mine" }));
  await user.click(screen.getByRole("button", { name: "Save backends" }));
  await waitFor(() => expect(server.lastOf("UpdateModel").input.expectedVersion).toBe(5));
  expect(server.lastOf("UpdateModel").input.backends).toHaveLength(2);
});

it("does not take the last backend of an active model away", async () => {
  const { user, server } = openModel();
  await user.click(await screen.findByRole("button", { name: "Remove gpt-5" }));
  await user.click(screen.getByRole("button", { name: "Save backends" }));
  await screen.findByText(/An active model needs a backend/);
  expect(server.lastOf("UpdateModel")).toBeUndefined();
});

it("warns before a slug in use changes, and sends it with the rest", async () => {
  const { user, server } = openModel();
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit model" });
  const slug = within(dialog).getByRole("textbox", { name: /Slug/ });
  await user.type(slug, ".1");
  within(dialog).getByText(/Callers that still send gpt-5 get/);
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateModel")).toEqual({
      input: {
        id: "model-1",
        slug: "gpt-5.1",
        displayName: "GPT 5",
        status: "ACTIVE",
        expectedVersion: 4,
      },
    }),
  );
});

it("says what ends with a model before it is deleted", async () => {
  const { user, server, path } = openModel(mockModel(), {
    DeleteModel: { deleteModel: { id: "model-1" } },
  });
  await screen.findByRole("link", { name: "Engineering" });
  await user.click(screen.getByRole("button", { name: "Delete" }));
  const dialog = await screen.findByRole("dialog", { name: "Delete gpt-5?" });
  expect(dialog).toHaveTextContent("2 grants go with it");
  await user.click(within(dialog).getByRole("button", { name: "Delete model" }));
  await waitFor(() => expect(path()).toBe("/admin/models"));
  expect(server.lastOf("DeleteModel")).toEqual({ id: "model-1" });
});

it("shows why a draft could not be activated", async () => {
  const { user } = openModel(mockModel({ status: "DRAFT", backends: [] }), {
    UpdateModel: refuse("backends must name at least one before the model can be active"),
  });
  await user.click(await screen.findByRole("button", { name: "Activate" }));
  await screen.findByText(/must name at least one/);
});

it("disables after a question that says what callers get", async () => {
  const { user, server } = openModel();
  await user.click(await screen.findByRole("button", { name: "Disable" }));
  const dialog = await screen.findByRole("dialog", { name: "Disable gpt-5?" });
  expect(dialog).toHaveTextContent("model not found");
  await user.click(within(dialog).getByRole("button", { name: "Disable" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateModel")).toEqual({
      input: { id: "model-1", status: "DISABLED", expectedVersion: 4 },
    }),
  );
});

it("says that there is no such model instead of showing an empty page", async () => {
  openModel(null);
  await screen.findByRole("heading", { name: "There is no such model" });
});
