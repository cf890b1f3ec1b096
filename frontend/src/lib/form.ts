import type { FormErrors, UseFormReturnType } from "@mantine/form";
import * as z from "zod/mini";
import { ApiError, messageOf } from "@/lib/errors";

/** A Mantine form validator from a zod schema; the first problem of a field is the one that is shown. */
export function zodFields(schema: z.ZodMiniType): (values: unknown) => FormErrors {
  return (values) => {
    const result = z.safeParse(schema, values);
    const errors: FormErrors = {};
    for (const issue of result.error?.issues ?? []) {
      errors[issue.path.map(String).join(".")] ??= issue.message;
    }
    return errors;
  };
}

/**
 * Shows a refusal where it belongs: at the field that the server named, if the form has it. Returns the
 * message to show above the form otherwise.
 */
export function showServerError<T extends Record<string, unknown>>(
  form: Pick<UseFormReturnType<T>, "setFieldError" | "getValues">,
  error: unknown,
): string | null {
  if (error instanceof ApiError && error.field !== null) {
    const field = fieldOf(form.getValues(), error.field);
    if (field !== null) {
      form.setFieldError(field, beginning(error.message));
      return null;
    }
  }
  return messageOf(error);
}

/** The server says "must be …" of a field; under its label that begins a sentence. */
const beginning = (message: string): string => message.charAt(0).toUpperCase() + message.slice(1);

/** The server names a field by its input path ("input.budget.daily"); the form knows its last part. */
function fieldOf(values: Record<string, unknown>, path: string): string | null {
  const segments = path.split(".");
  return segments.reverse().find((segment) => segment in values) ?? null;
}
