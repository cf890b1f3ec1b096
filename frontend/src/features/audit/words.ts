/** What was done, in the words of whoever reads the log; what is not here is told by its own name. */
const actions: Record<string, string> = {
  "alerts.admins": "Chose which alerts administrators get:",
  "api_key.create": "Created API key",
  "api_key.revoke": "Revoked API key",
  "api_key.rotate": "Gave API key a new secret",
  "api_key.update": "Changed API key",
  "budget.set": "Set budget",
  "demo.seed": "Added sample data",
  "encryption.rotate": "Moved what is sealed to the new",
  "gateway.refuse": "Refused API key",
  "grant.add": "Granted models",
  "grant.revoke": "Revoked grant",
  "group.add_members": "Added members",
  "group.create": "Created group",
  "group.delete": "Deleted group",
  "group.remove_members": "Removed members",
  "group.update": "Changed group",
  "invitation.accept": "Accepted invitation",
  "invitation.expire": "Let invitation expire",
  "invitation.resend": "Sent invitation again",
  "invitation.withdraw": "Withdrew invitation",
  "leaderboard.set": "Switched",
  "mail.retry": "Tried a letter again, to",
  "mail.test": "Sent test mail",
  "model.create": "Added model",
  "model.delete": "Deleted model",
  "model.update": "Changed model",
  "override.create": "Set temporary value",
  "override.end": "Ended temporary value",
  "pool_budget.set": "Set pooled budget",
  "pool_rate_limit.set": "Set pooled rate limit",
  "provider.create": "Added provider",
  "provider.delete": "Deleted provider",
  "provider.update": "Changed provider",
  "provider_model.create": "Added provider model",
  "provider_model.delete": "Deleted provider model",
  "provider_model.schedule_prices": "Planned prices",
  "provider_model.update": "Changed provider model",
  "provider_model.withdraw_prices": "Withdrew planned prices",
  "rate_limit.set": "Set rate limit",
  "secret_rule.create": "Added secret rule",
  "secret_rule.delete": "Deleted secret rule",
  "secret_rule.update": "Changed secret rule",
  "session.end_all": "Ended sessions",
  "session.revoke": "Ended a session",
  "token.create": "Created automation token",
  "token.revoke": "Revoked automation token",
  "user.change_password": "Changed password",
  "user.create_admin": "Made first administrator",
  "user.create_reset_link": "Made password link",
  "user.delete": "Deleted user",
  "user.invite": "Invited user",
  "user.reactivate": "Reactivated user",
  "user.reset_password": "Reset password",
  "user.suspend": "Suspended user",
  "user.update": "Changed user",
  "webhook.create": "Added webhook",
  "webhook.delete": "Deleted webhook",
  "webhook.retry": "Sent a message again, to webhook",
  "webhook.rotate_secret": "Gave webhook a new secret",
  "webhook.test": "Sent test message to webhook",
  "webhook.update": "Changed webhook",
};

const kinds: Record<string, string> = {
  user: "Users",
  group: "Groups",
  api_key: "API keys",
  token: "Automation tokens",
  model: "Models",
  provider: "Providers",
  provider_model: "Provider models",
  secret_rule: "Secret rules",
  mail: "Mail",
  deployment: "Deployment",
  installation: "Installation",
};

const fields: Record<string, string> = {
  alert_thresholds: "Alerts at",
  api_version: "API version",
  base_url: "Base URL",
  concurrent_requests: "Concurrent requests",
  credential_prefix: "Credential",
  credential_updated_at: "Credential changed",
  daily: "Daily cap",
  email: "E-mail",
  input_tokens: "Input tokens per minute",
  monthly: "Monthly cap",
  of: "Value for",
  output_tokens: "Output tokens per minute",
  prefix: "Begins with",
  previous_expires_at: "Old secret works until",
  refused_since_last: "Further refusals since",
  requests: "Requests per minute",
  user_agent: "Browser",
  weekly: "Weekly cap",
  cache_write_5m: "Cache write price (5 min)",
  cache_write_1h: "Cache write price (1 h)",
};

/** What a temporary value stands in for. */
export const targets: Record<string, string> = {
  day: "Daily cap",
  week: "Weekly cap",
  month: "Monthly cap",
  requests: "Requests per minute",
  input_tokens: "Input tokens per minute",
  output_tokens: "Output tokens per minute",
  concurrent_requests: "Concurrent requests",
};

export const sentence = (name: string): string => {
  const words = name.replaceAll(/[._]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export const actionLabel = (action: string): string => actions[action] ?? sentence(action);

export const fieldLabel = (field: string): string => fields[field] ?? sentence(field);

/** The kinds that a change can be about, those that are most asked for first. */
export const targetKinds = Object.entries(kinds).map(([value, label]) => ({ value, label }));
