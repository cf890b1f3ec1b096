import type { UseFormReturnType } from "@mantine/form";
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { hasCode, messageOf } from "@/lib/errors";
import { useSave } from "@/lib/use-save";

interface Options<T> {
  /** What is edited as the server has it now; it may move on while somebody types. */
  version: number;
  values: T;
  /** Where it is read again when it turns out to have moved on. */
  refresh: QueryKey;
  save: (values: T, expectedVersion: number) => Promise<void>;
}

export interface Conflict<T> {
  /** Who changed it, as the server tells it. */
  message: string;
  theirs: T;
  onTakeTheirs: () => void;
  onKeepMine: () => void;
}

/**
 * Saves an edit unless somebody else's came between: then what was typed stays, what is there now is shown, and one of
 * the two is chosen. While nothing is typed the form follows the server.
 */
export function useEdit<T extends Record<string, unknown>>(
  form: UseFormReturnType<T>,
  { version, values: theirs, refresh, save }: Options<T>,
) {
  const client = useQueryClient();
  const [began, setBegan] = useState(version);
  const [message, setMessage] = useState<string | null>(null);
  const { submit, saving, problem } = useSave(form, async (values) => {
    try {
      await save(values, began);
    } catch (error) {
      if (!hasCode(error, "stale_version")) throw error;
      await client.invalidateQueries({ queryKey: refresh });
      setMessage(messageOf(error));
    }
  });

  const behind = began !== version && message === null && !form.isDirty();
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a change at the server is an occasion
  useEffect(() => {
    if (!behind) return;
    setBegan(version);
    form.setInitialValues(theirs);
    form.setValues(theirs);
  }, [behind, version]);

  function decide(): void {
    setBegan(version);
    setMessage(null);
  }

  const conflict: Conflict<T> | null =
    message === null
      ? null
      : {
          message,
          theirs,
          onTakeTheirs: () => {
            decide();
            form.setInitialValues(theirs);
            form.setValues(theirs);
          },
          onKeepMine: decide,
        };
  return { submit, saving, problem, conflict };
}
