import { queryOptions } from "@tanstack/react-query";
import type { ModelListSearch } from "@/features/models/search";
import { graphql } from "@/gql";
import type {
  ModelDetailQuery,
  ModelHoldersQuery,
  ModelListQuery,
  ProviderModelOptionsQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const modelListDocument = graphql(`
  query ModelList(
    $after: String
    $search: String
    $kind: ModelKind
    $status: ModelStatus
    $counted: Boolean!
  ) {
    models(first: 50, after: $after, search: $search, kind: $kind, status: $status) {
      edges {
        node {
          id slug displayName kind status
          backends { id providerModel { id name obstacle provider { id name } } }
        }
      }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $counted)
    }
  }
`);

const modelDetailDocument = graphql(`
  query ModelDetail($id: ID!) {
    model(id: $id) {
      id slug displayName kind status createdAt version
      backends { id priority weight providerModel { id name obstacle provider { id name } } }
    }
  }
`);

const modelHoldersDocument = graphql(`
  query ModelHolders($id: ID!, $after: String) {
    model(id: $id) {
      id
      grants(first: 20, after: $after) {
        edges {
          node {
            id createdAt
            user { id name email status }
            group { id name memberCount }
          }
        }
        pageInfo { hasNextPage endCursor }
        totalCount
      }
    }
  }
`);

const providerModelOptionsDocument = graphql(`
  query ProviderModelOptions {
    providers(first: 100) {
      edges { node { id name models { id name kind obstacle } } }
    }
  }
`);

export type ListedModel = ModelListQuery["models"]["edges"][number]["node"];
export type Model = NonNullable<ModelDetailQuery["model"]>;
export type Backend = Model["backends"][number];
export type Holder = NonNullable<ModelHoldersQuery["model"]>["grants"]["edges"][number]["node"];
type OfferingProvider = ProviderModelOptionsQuery["providers"]["edges"][number]["node"];

/** A provider model that may be put behind a model. */
export type Offer = OfferingProvider["models"][number] & {
  provider: Pick<OfferingProvider, "id" | "name">;
};

export const modelListQuery = ({ q, kind, status }: ModelListSearch) =>
  pagesQuery<ListedModel>({
    queryKey: keys.modelList({ q, kind, status }),
    fetch: async (after) => {
      const filters = { search: q ?? null, kind: kind ?? null, status: status ?? null };
      // Counting reads every match, so only the first page asks for it.
      return (await execute(modelListDocument, { ...filters, after, counted: after === null }))
        .models;
    },
  });

/** Null when there is no such model, which is an answer and not a failure. */
export const modelDetailQuery = (id: string) =>
  queryOptions({
    queryKey: keys.model(id),
    queryFn: async () => (await execute(modelDetailDocument, { id })).model ?? null,
  });

const nobody = { edges: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0 };

export const modelHoldersQuery = (id: string) =>
  pagesQuery<Holder>({
    queryKey: keys.modelHolders(id),
    fetch: async (after) =>
      (await execute(modelHoldersDocument, { id, after })).model?.grants ?? nobody,
  });

export const offersQuery = queryOptions({
  queryKey: keys.providerModelOptions,
  queryFn: async (): Promise<Offer[]> =>
    (await execute(providerModelOptionsDocument)).providers.edges.flatMap(({ node }) =>
      node.models.map((model) => ({ ...model, provider: { id: node.id, name: node.name } })),
    ),
});

/** Whether a call gets an answer: in service, and somebody behind it who may be called. */
export const isServed = (model: Pick<ListedModel, "status" | "backends">): boolean =>
  model.status === "ACTIVE" && model.backends.some(({ providerModel }) => !providerModel.obstacle);
