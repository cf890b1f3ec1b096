/** What the gateway says when it lets a call not in. */
const codes: Record<string, string> = {
  rate_limit_exceeded: "Rate limit",
  budget_exceeded: "Budget used up",
  model_not_granted: "No grant",
  model_not_found: "No such model",
  invalid_api_key: "Unknown key",
  key_revoked: "Revoked key",
  key_expired: "Expired key",
  user_suspended: "Suspended user",
  secret_blocked: "Secret rule",
  invalid_request: "Invalid request",
  request_timeout: "Came too slowly",
  upstream_unavailable: "No provider answered",
  temporarily_unavailable: "Gateway could not decide",
  internal_error: "Gateway failed",
};

/** A few words for the code of a refusal. */
export const codeLabel = (code: string): string => codes[code] ?? code.replaceAll("_", " ");
