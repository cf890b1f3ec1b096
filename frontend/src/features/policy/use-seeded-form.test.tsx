import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { useSeededForm } from "@/features/policy/use-seeded-form";

const client = new QueryClient();

const start = (limit: string) =>
  renderHook(({ server }) => useSeededForm(server, { validate: {} }), {
    initialProps: { server: { limit } },
    wrapper: ({ children }) => (
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    ),
  });

it("follows the server while nothing is typed", () => {
  const { result, rerender } = start("30");
  rerender({ server: { limit: "60" } });
  expect(result.current.form.values).toEqual({ limit: "60" });
  expect(result.current.dirty).toBe(false);
});

it("keeps what is typed when the server's values move, says so, and discards to the new ones", () => {
  const { result, rerender } = start("30");
  act(() => result.current.form.setFieldValue("limit", "45"));
  rerender({ server: { limit: "60" } });
  expect(result.current.form.values).toEqual({ limit: "45" });
  expect(result.current.overtaken).toBe(true);
  act(() => result.current.discard());
  expect(result.current.form.values).toEqual({ limit: "60" });
  expect(result.current.overtaken).toBe(false);
});

it("is clean after its own save, whether the server's answer was seen before or comes after", () => {
  const { result, rerender } = start("30");
  act(() => result.current.form.setFieldValue("limit", "45"));
  act(() => result.current.settle({ limit: "45" }));
  expect(result.current.dirty).toBe(false);
  rerender({ server: { limit: "45" } });
  expect(result.current.form.values).toEqual({ limit: "45" });

  act(() => result.current.form.setFieldValue("limit", "050"));
  rerender({ server: { limit: "50" } });
  act(() => result.current.settle({ limit: "050" }));
  expect(result.current.form.values).toEqual({ limit: "50" });
  expect(result.current.overtaken).toBe(false);
});
