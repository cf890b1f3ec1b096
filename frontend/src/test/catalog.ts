import type { Model, Offer } from "@/features/models/queries";
import type { KindInfo, Provider, ProviderModel } from "@/features/providers/queries";

export const mockKinds: KindInfo[] = [
  {
    kind: "OPENAI",
    label: "OpenAI",
    defaultBaseUrl: "https://api.openai.com/v1",
    baseUrlRequired: false,
    credentialRequired: true,
    takesOrganization: true,
    takesRegion: false,
    takesApiVersion: false,
    takesHeaders: false,
    takesAccessKeys: false,
    choosesResponses: false,
  },
  {
    kind: "CUSTOM_ANTHROPIC",
    label: "Anthropic-compatible",
    defaultBaseUrl: null,
    baseUrlRequired: true,
    credentialRequired: false,
    takesOrganization: false,
    takesRegion: false,
    takesApiVersion: false,
    takesHeaders: true,
    takesAccessKeys: false,
    choosesResponses: false,
  },
  {
    kind: "CUSTOM_OPENAI",
    label: "OpenAI-compatible",
    defaultBaseUrl: null,
    baseUrlRequired: true,
    credentialRequired: false,
    takesOrganization: true,
    takesRegion: false,
    takesApiVersion: false,
    takesHeaders: true,
    takesAccessKeys: false,
    choosesResponses: true,
  },
  {
    kind: "DEMO",
    label: "Demo",
    defaultBaseUrl: null,
    baseUrlRequired: false,
    credentialRequired: false,
    takesOrganization: false,
    takesRegion: false,
    takesApiVersion: false,
    takesHeaders: false,
    takesAccessKeys: false,
    choosesResponses: false,
  },
  {
    kind: "BEDROCK",
    label: "Amazon Bedrock",
    defaultBaseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
    baseUrlRequired: false,
    credentialRequired: true,
    takesOrganization: false,
    takesRegion: true,
    takesApiVersion: false,
    takesHeaders: false,
    takesAccessKeys: true,
    choosesResponses: false,
  },
];

const prices: ProviderModel["prices"] = {
  input: "1.25",
  cacheRead: "0.125",
  cacheWrite5m: null,
  cacheWrite1h: null,
  output: "10",
  longContext: [],
};

export function mockProviderModel(values: Partial<ProviderModel> = {}): ProviderModel {
  return {
    id: "pm-1",
    name: "gpt-5",
    kind: "CHAT",
    free: false,
    own: false,
    priced: true,
    obstacle: null,
    contextWindow: 400_000,
    maxOutputTokens: 128_000,
    capabilities: [],
    prices,
    charged: values.prices ?? prices,
    catalogEntry: null,
    priceLists: [],
    usedBy: [],
    version: 2,
    ...values,
  };
}

export function mockProvider(values: Partial<Provider> = {}): Provider {
  return {
    id: "provider-1",
    name: "OpenAI Europe",
    kind: "OPENAI",
    baseUrl: "https://eu.api.openai.com/v1",
    organization: "org-acme",
    apiVersion: null,
    region: null,
    priceMultiplier: "1",
    plannedMultipliers: [],
    headerNames: [],
    servesResponses: true,
    enabled: true,
    credentialPrefix: "sk-pro…",
    credentialUpdatedAt: "2026-11-20T08:00:00Z",
    createdAt: "2026-11-01T08:00:00Z",
    version: 3,
    models: [mockProviderModel()],
    ...values,
  };
}

export function mockBackend(
  name: string,
  priority = 0,
  weight = 1,
  obstacle: string | null = null,
): Model["backends"][number] {
  const provider = { id: "provider-1", name: "OpenAI Europe" };
  return {
    id: `backend-${name}`,
    priority,
    weight,
    providerModel: { id: `pm-${name}`, name, obstacle, provider },
  };
}

export function mockModel(values: Partial<Model> = {}): Model {
  return {
    id: "model-1",
    slug: "gpt-5",
    displayName: "GPT 5",
    kind: "CHAT",
    status: "ACTIVE",
    createdAt: "2026-11-01T08:00:00Z",
    version: 4,
    backends: [mockBackend("gpt-5")],
    ...values,
  };
}

export const mockOffer = (name: string, values: Partial<Offer> = {}): Offer => ({
  id: `pm-${name}`,
  name,
  kind: "CHAT",
  obstacle: null,
  provider: { id: "provider-1", name: "OpenAI Europe" },
  ...values,
});

/** One page that holds everything, as lists of the schema answer. */
export const mockPage = <Row>(rows: Row[]) => ({
  edges: rows.map((node) => ({ node })),
  pageInfo: { hasNextPage: false, endCursor: null },
  totalCount: rows.length,
});
