import type {
  GroupPolicyQuery,
  UserDetailQuery,
  UserListQuery,
  UserPolicyQuery,
} from "@/gql/graphql";

type ListedUser = UserListQuery["users"]["edges"][number]["node"];

export const mockUser = (user: Partial<ListedUser> = {}): ListedUser => ({
  id: "user-2",
  email: "grace@example.com",
  name: "Grace Hopper",
  role: "MEMBER",
  status: "ACTIVE",
  createdAt: "2026-11-01T09:00:00.000Z",
  lastActiveAt: null,
  version: 4,
  ...user,
});

export const mockPage = <Row>(rows: Row[], more: string | null = null) => ({
  edges: rows.map((node) => ({ node })),
  pageInfo: { hasNextPage: more !== null, endCursor: more },
  totalCount: rows.length,
});

export const mockUserDetail = (
  user: Partial<NonNullable<UserDetailQuery["user"]>> = {},
): UserDetailQuery => ({
  user: { ...mockUser(), version: 7, invitationExpiresAt: null, groups: [], apiKeys: [], ...user },
});

const personal = { kind: "USER" as const, id: "user-2", name: "Grace Hopper" };
const contractors = { kind: "GROUP" as const, id: "group-1", name: "Contractors" };

type Policy = NonNullable<UserPolicyQuery["user"]>;
type Limit = Policy["effectivePolicy"]["limits"][number];
type Cap = Policy["effectivePolicy"]["budgets"][number];

export const noLimits: Policy["rateLimit"] = {
  requestsPerMinute: null,
  inputTokensPerMinute: null,
  outputTokensPerMinute: null,
  concurrentRequests: null,
};

export const noBudget: Policy["budget"] = {
  daily: null,
  weekly: null,
  monthly: null,
  alertThresholds: [80, 100],
};

/** A limit after merging; the first value is the strictest. */
export const mockLimit = (
  dimension: Limit["dimension"],
  values: [typeof personal | typeof contractors, number][] = [],
  used = 0,
): Limit => ({
  dimension,
  used,
  override: null,
  limit: values[0]?.[1] ?? null,
  source: values[0]?.[0] ?? null,
  candidates: values.map(([source, value]) => ({ source, value })),
});

export const mockCap = (
  window: Cap["window"],
  values: [typeof personal | typeof contractors, string][] = [],
  spent = "0",
  reserved = "0",
): Cap => ({
  window,
  spent,
  reserved,
  override: null,
  resetsAt: "2099-01-01T00:00:00.000Z",
  reachedAt: null,
  alertThresholds: [80, 100],
  cap: values[0]?.[1] ?? null,
  source: values[0]?.[0] ?? null,
  candidates: values.map(([source, cap]) => ({ source, cap })),
});

export const mockModel = (slug: string, status: "ACTIVE" | "DRAFT" = "ACTIVE") => ({
  id: `model-${slug}`,
  slug,
  displayName: "",
  status,
});

export const versions = { limitVersion: { version: 3 }, budgetVersion: { version: 5 } };

export const mockUserPolicy = (
  policy: Partial<Omit<Policy, "effectivePolicy">> = {},
  inForce: Partial<Policy["effectivePolicy"]> = {},
): UserPolicyQuery => ({
  user: {
    id: "user-2",
    grants: [],
    inheritedGrants: [],
    rateLimit: noLimits,
    budget: noBudget,
    ...versions,
    raises: [],
    effectivePolicy: {
      models: [],
      limits: [
        mockLimit("REQUESTS"),
        mockLimit("INPUT_TOKENS"),
        mockLimit("OUTPUT_TOKENS"),
        mockLimit("CONCURRENT_REQUESTS"),
      ],
      budgets: [mockCap("DAY"), mockCap("WEEK"), mockCap("MONTH")],
      pools: [],
      ...inForce,
    },
    ...policy,
  },
});

export const mockUsage = () => {
  const totals = {
    requests: 0,
    errors: 0,
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    cost: "0",
  };
  return {
    UsageReport: { usage: { totals, previous: totals, series: [], previousSeries: [] } },
    UsageBreakdown: { usage: { breakdown: [] } },
    Calls: { calls: mockPage([]) },
  };
};

export const mockGroupPolicy = (
  policy: Partial<NonNullable<GroupPolicyQuery["group"]>> = {},
): GroupPolicyQuery => ({
  group: {
    id: "group-1",
    grants: [],
    rateLimit: noLimits,
    budget: noBudget,
    ...versions,
    pool: { rateLimit: noLimits, budget: noBudget, ...versions, limits: [], budgets: [] },
    ...policy,
  },
});

export const source = { personal, contractors };
