import { type UseFormInput, type UseFormReturnType, useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { hasCode, messageOf } from "@/lib/errors";
import { keys } from "@/lib/query-keys";

type Values = Record<string, string>;

interface Seeded<T extends Values> {
  form: UseFormReturnType<T>;
  dirty: boolean;
  /** Somebody else saved other values while something was being typed here. */
  overtaken: boolean;
  /** Who it was, once the server has told it. */
  overtakenBy: string | null;
  /** Saves as an edit of what was on screen when the typing began; false when somebody else's came between. */
  guarded: (save: (expectedVersion: number | undefined) => Promise<unknown>) => Promise<boolean>;
  /** Takes these values as what the server has. */
  settle: (values: T) => void;
  /** Drops what was typed and shows what the server has. */
  discard: () => void;
  /** Goes on with what was typed, knowing what the server has. */
  keepMine: () => void;
}

/** A form over values that the server may change: it follows them, but never throws away what was typed. */
export function useSeededForm<T extends Values>(
  server: T,
  { version, ...options }: Pick<UseFormInput<T>, "validate"> & { version?: number | undefined },
): Seeded<T> {
  const client = useQueryClient();
  const form = useForm<T>({ initialValues: server, ...options });
  const latest = JSON.stringify([version, server]);
  const [seed, setSeed] = useState({ latest, version });
  const [overtakenBy, setOvertakenBy] = useState<string | null>(null);
  const dirty = form.isDirty();
  const moved = latest !== seed.latest;

  function settle(values: T): void {
    form.setInitialValues(values);
    form.setValues(values);
  }

  function follow(): void {
    setSeed({ latest, version });
    setOvertakenBy(null);
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a change at the server is an occasion
  useEffect(() => {
    if (dirty || !moved) return;
    follow();
    settle(server);
  }, [dirty, moved, latest]);

  return {
    form,
    dirty,
    overtaken: dirty && moved,
    overtakenBy,
    settle,
    discard: () => settle(server),
    keepMine: () => {
      follow();
      form.setInitialValues(server);
    },
    guarded: async (save) => {
      try {
        await save(seed.version);
        return true;
      } catch (error) {
        if (!hasCode(error, "stale_version")) throw error;
        await client.invalidateQueries({ queryKey: keys.policies });
        setOvertakenBy(messageOf(error));
        return false;
      }
    },
  };
}
