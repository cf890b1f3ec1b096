import type { UseFormReturnType } from "@mantine/form";
import { useState } from "react";
import { showServerError } from "@/lib/form";

interface Save<T> {
  submit: (values: T) => Promise<void>;
  saving: boolean;
  /** A refusal that belongs to no field of the form. */
  problem: string | null;
}

/** Runs a form's submission: one at a time, refusals shown at their field or above the form. */
export function useSave<T extends Record<string, unknown>>(
  form: UseFormReturnType<T>,
  save: (values: T) => Promise<void>,
): Save<T> {
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(values: T): Promise<void> {
    if (saving) return;
    setSaving(true);
    setProblem(null);
    try {
      await save(values);
    } catch (error) {
      setProblem(showServerError(form, error));
    } finally {
      setSaving(false);
    }
  }

  return { submit, saving, problem };
}
