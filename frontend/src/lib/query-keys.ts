/** Every cache key of the console. A key's first parts name what a mutation has to invalidate. */
export const keys = {
  session: ["session"] as const,
  entryHelp: ["entry-help"] as const,
  entryWays: ["entry-ways"] as const,
  palette: (search: string) => ["palette", search] as const,
  entryLink: (token: string) => ["entry-link", token] as const,
  deviceSignIn: (userCode: string) => ["device-sign-in", userCode] as const,
  priceCatalog: (kind: string) => ["price-catalog", kind] as const,
  providerKinds: ["provider-kinds"] as const,

  users: ["users"] as const,
  userList: (filters: object) => ["users", "list", filters] as const,
  userPicker: (search: string) => ["users", "picker", search] as const,
  user: (id: string) => ["users", "one", id] as const,
  userSignIn: (id: string) => ["users", "sign-in", id] as const,
  userSessions: (id: string) => ["users", "sessions", id] as const,

  groups: ["groups"] as const,
  groupList: (filters: object) => ["groups", "list", filters] as const,
  groupPicker: (search: string) => ["groups", "picker", search] as const,
  group: (id: string) => ["groups", "one", id] as const,
  groupMembers: (id: string, search: string) => ["groups", "members", id, search] as const,

  policies: ["policy"] as const,
  policy: (userId: string) => ["policy", "effective", userId] as const,
  groupPolicy: (groupId: string) => ["policy", "group", groupId] as const,
  policyPreview: (subjectId: string, values: object) =>
    ["policy", "preview", subjectId, values] as const,
  explain: (userId: string, model: string) => ["policy", "explain", userId, model] as const,
  allowance: (userId: string) => ["policy", "allowance", userId] as const,
  budgetOwners: (filter: object) => ["policy", "budget-owners", filter] as const,
  rateLimitOwners: (filter: object) => ["policy", "rate-limit-owners", filter] as const,
  availableModels: ["policy", "available-models"] as const,
  callableModels: (userId: string) => ["policy", "callable", userId] as const,
  modelHolders: (modelId: string) => ["policy", "holders", modelId] as const,

  apiKeys: ["api-keys"] as const,
  allApiKeys: (filters: object) => ["api-keys", "all", filters] as const,
  ownSessions: ["own-sessions"] as const,
  automationTokens: ["automation-tokens"] as const,

  auditLog: (filter: object) => ["audit", "log", filter] as const,
  auditActions: ["audit", "actions"] as const,

  backendHealth: ["backend-health"] as const,

  installation: ["installation"] as const,
  provisioning: ["provisioning"] as const,
  singleSignOn: ["single-sign-on"] as const,
  mail: ["mail"] as const,
  mailCounts: ["mail", "counts"] as const,
  mailLog: (status: string | null) => ["mail", "log", status] as const,

  providers: ["providers"] as const,
  providerList: (filters: object) => ["providers", "list", filters] as const,
  provider: (id: string) => ["providers", "one", id] as const,
  providerModelOptions: ["providers", "model-options"] as const,

  models: ["models"] as const,
  modelList: (filters: object) => ["models", "list", filters] as const,
  model: (id: string) => ["models", "one", id] as const,
  modelPicker: (search: string) => ["models", "picker", search] as const,

  secretRules: ["secret-rules"] as const,
  secretRuleList: ["secret-rules", "list"] as const,
  secretRulePacks: ["secret-rules", "packs"] as const,
  secretRuleTrial: (text: string, draft: object | null) =>
    ["secret-rules", "trial", text, draft] as const,
  secretFindings: (filter: object) => ["secret-rules", "findings", filter] as const,

  alerts: ["alerts"] as const,
  unreadAlerts: ["alerts", "unread"] as const,
  alertNotices: (unread: boolean) => ["alerts", "notices", unread] as const,
  toldAlerts: ["alerts", "told"] as const,
  alertSettings: ["alerts", "settings"] as const,
  webhooks: ["alerts", "webhooks"] as const,
  webhookDeliveries: (status: string | null) => ["alerts", "deliveries", status] as const,

  leaderboards: ["leaderboard"] as const,
  leaderboard: (span: string, order: string) => ["leaderboard", span, order] as const,

  overview: (part: string) => ["overview", part] as const,

  usage: ["usage"] as const,
  usageWhose: (search: string) => ["usage", "whose", search] as const,
  usageWho: (user: string | null, group: string | null) => ["usage", "who", user, group] as const,
  usageReport: (scope: object, range: object) => ["usage", "report", scope, range] as const,
  usageBreakdown: (scope: object, range: object, by: string) =>
    ["usage", "breakdown", scope, range, by] as const,
  calls: (scope: object) => ["usage", "calls", scope] as const,
};
