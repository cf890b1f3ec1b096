/** What the server said went wrong, in the one shape that every part of the console reads. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly field: string | null;

  constructor(message: string, code: string, field: string | null = null) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

const codesThatMayPass = new Set(["network", "unavailable"]);

/** Whether the same request may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  return error instanceof ApiError && codesThatMayPass.has(error.code);
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof ApiError && error.code === code;
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return "Something went wrong in the console itself. Reload the page and try again.";
}

/** Who changed what came between, as the server tells it; its advice is for scripts. */
export const changedBy = (message: string | null | undefined): string =>
  /\. (.+? changed .+? UTC\.)/.exec(message ?? "")?.[1] ?? "";

interface WireError {
  message?: unknown;
  code?: unknown;
  field?: unknown;
}

export function toApiError(wire: WireError | undefined, fallbackCode: string): ApiError {
  const message =
    typeof wire?.message === "string" && wire.message !== ""
      ? wire.message
      : "The server refused the request without saying why.";
  const code = typeof wire?.code === "string" ? wire.code : fallbackCode;
  return new ApiError(message, code, typeof wire?.field === "string" ? wire.field : null);
}
