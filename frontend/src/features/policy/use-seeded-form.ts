import { type UseFormInput, type UseFormReturnType, useForm } from "@mantine/form";
import { useEffect, useState } from "react";

type Values = Record<string, string>;

interface Seeded<T extends Values> {
  form: UseFormReturnType<T>;
  dirty: boolean;
  /** Somebody else saved other values while something was being typed here. */
  overtaken: boolean;
  /** Takes these values as what the server has. */
  settle: (values: T) => void;
  /** Drops what was typed and shows what the server has. */
  discard: () => void;
}

/** A form over values that the server may change: it follows them, but never throws away what was typed. */
export function useSeededForm<T extends Values>(
  server: T,
  options: Pick<UseFormInput<T>, "validate">,
): Seeded<T> {
  const form = useForm<T>({ initialValues: server, ...options });
  const latest = JSON.stringify(server);
  const [seed, setSeed] = useState(latest);
  const dirty = form.isDirty();
  const moved = latest !== seed;

  function settle(values: T): void {
    form.setInitialValues(values);
    form.setValues(values);
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a change at the server is an occasion
  useEffect(() => {
    if (dirty || !moved) return;
    setSeed(latest);
    settle(server);
  }, [dirty, moved, latest]);

  return { form, dirty, overtaken: dirty && moved, settle, discard: () => settle(server) };
}
