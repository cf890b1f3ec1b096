import { screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { PageError } from "@/components/page-error";
import { ApiError } from "@/lib/errors";
import { renderComponent } from "@/test/render";

it("asks the server again for what it did not give", async () => {
  const retry = vi.fn();
  const error = new ApiError("The database does not answer.", "unavailable");
  const { user } = renderComponent(<PageError error={error} onRetry={retry} />);
  expect(await screen.findByText("The database does not answer.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(retry).toHaveBeenCalledOnce();
});

it("loads all of the console again when a part of it is gone", async () => {
  const retry = vi.fn();
  const reload = vi.spyOn(window.location, "reload").mockImplementation(() => {});
  const error = new TypeError("Failed to fetch dynamically imported module: /assets/old.js");
  const { user } = renderComponent(<PageError error={error} onRetry={retry} />);
  expect(await screen.findByText(/Reload the page/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Reload" }));
  expect(reload).toHaveBeenCalledOnce();
  expect(retry).not.toHaveBeenCalled();
});
