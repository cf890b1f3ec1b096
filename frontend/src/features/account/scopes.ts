import type { TokenScope } from "@/gql/graphql";

/** What a token may touch, in words; its owner's role bounds it all the same. */
export const scopes: { value: TokenScope; label: string; description: string }[] = [
  {
    value: "READ",
    label: "Read",
    description: "See everything that you may see, and change nothing",
  },
  { value: "USERS", label: "Users", description: "Users, invitations, groups and memberships" },
  { value: "POLICY", label: "Policy", description: "Grants, rate limits and budgets" },
  {
    value: "CATALOG",
    label: "Catalog",
    description: "Providers, their credentials, prices and models",
  },
  { value: "KEYS", label: "Keys", description: "API keys and automation tokens" },
  {
    value: "SETTINGS",
    label: "Settings",
    description: "Settings of the server, and test messages",
  },
];

export const scopeLabel = (scope: TokenScope): string =>
  scopes.find(({ value }) => value === scope)?.label ?? scope;
