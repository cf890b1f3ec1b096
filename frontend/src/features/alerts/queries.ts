import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  AdminAlerts,
  AlertNoticesQuery,
  CreateWebhookInput,
  UpdateWebhookInput,
  WebhookDeliveriesQuery,
  WebhookDeliveryStatus,
  WebhooksQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const noticesDocument = graphql(`
  query AlertNotices($after: String, $unread: Boolean!) {
    alertNotices(first: 20, after: $after, unread: $unread) {
      totalCount
      edges {
        node {
          readAt
          alert {
            id subjectKind subjectLabel userId window period threshold cap spent blocks setByKind setByLabel at
            resetsAt
          }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const markDocument = graphql(`
  mutation MarkAlertsRead($ids: [ID!]) {
    markAlertsRead(ids: $ids) { unread }
  }
`);

const toldDocument = graphql(`
  query ToldAlerts($after: String, $subjectKind: SourceKind) {
    alerts(first: 20, after: $after, subjectKind: $subjectKind) {
      totalCount
      edges {
        node {
          id subjectKind subjectLabel userId window period threshold cap spent blocks setByKind setByLabel at resetsAt
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const settingsDocument = graphql(`
  query AlertSettings {
    alertSettings { admins }
  }
`);

const setSettingsDocument = graphql(`
  mutation SetAlertSettings($admins: AdminAlerts!) {
    setAlertSettings(admins: $admins) { admins }
  }
`);

const webhooksDocument = graphql(`
  query Webhooks {
    webhooks { id name url subjects enabled createdAt secretUpdatedAt }
  }
`);

const createDocument = graphql(`
  mutation CreateWebhook($input: CreateWebhookInput!) {
    createWebhook(input: $input) { secret webhook { id name } }
  }
`);

const updateDocument = graphql(`
  mutation UpdateWebhook($input: UpdateWebhookInput!) {
    updateWebhook(input: $input) { webhook { id } }
  }
`);

const rotateDocument = graphql(`
  mutation RotateWebhookSecret($id: ID!) {
    rotateWebhookSecret(id: $id) { secret webhook { id name } }
  }
`);

const deleteDocument = graphql(`
  mutation DeleteWebhook($id: ID!) {
    deleteWebhook(id: $id) { id }
  }
`);

const testDocument = graphql(`
  mutation TestWebhook($id: ID!) {
    testWebhook(id: $id) { delivery { id status responseStatus error } }
  }
`);

const deliveriesDocument = graphql(`
  query WebhookDeliveries($after: String, $status: WebhookDeliveryStatus) {
    webhookDeliveries(first: 20, after: $after, status: $status) {
      edges {
        node {
          id kind status attempts responseStatus error createdAt nextAttemptAt finishedAt body
          webhook { name }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const retryDocument = graphql(`
  mutation RetryWebhookDelivery($id: ID!) {
    retryWebhookDelivery(id: $id) { delivery { id } }
  }
`);

export type Notice = AlertNoticesQuery["alertNotices"]["edges"][number]["node"];
export type NoticeRow = Notice & { id: string };
export type Webhook = WebhooksQuery["webhooks"][number];
export type WebhookDelivery = WebhookDeliveriesQuery["webhookDeliveries"]["edges"][number]["node"];

// Alerts come by themselves, some seconds after what they tell of.
const logEvery = 10_000;

export const noticesQuery = (unread: boolean) =>
  pagesQuery<NoticeRow>({
    queryKey: keys.alertNotices(unread),
    fetch: async (after) => {
      const { alertNotices } = await execute(noticesDocument, { after, unread });
      const edges = alertNotices.edges.map(({ node }) => ({
        node: { ...node, id: node.alert.id },
      }));
      return { ...alertNotices, edges };
    },
  });

export function useMarkRead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (ids: string[] | null) => execute(markDocument, { ids }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
}

export const toldQuery = pagesQuery({
  queryKey: keys.toldAlerts,
  fetch: async (after) => (await execute(toldDocument, { after, subjectKind: null })).alerts,
});

export const alertSettingsQuery = queryOptions({
  queryKey: keys.alertSettings,
  queryFn: async () => (await execute(settingsDocument)).alertSettings.admins,
});

export const webhooksQuery = queryOptions({
  queryKey: keys.webhooks,
  queryFn: async () => (await execute(webhooksDocument)).webhooks,
});

export const deliveriesQuery = (status: WebhookDeliveryStatus | null) => ({
  ...pagesQuery<WebhookDelivery>({
    queryKey: keys.webhookDeliveries(status),
    fetch: async (after) =>
      (await execute(deliveriesDocument, { after, status })).webhookDeliveries,
  }),
  refetchInterval: logEvery,
});

function useAlertMutation<T, R>(mutationFn: (variables: T) => Promise<R>, shownInPlace = false) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts }),
  });
}

export const useSetAlertSettings = () =>
  useAlertMutation((admins: AdminAlerts) => execute(setSettingsDocument, { admins }));

export const useCreateWebhook = () =>
  useAlertMutation(
    async (input: CreateWebhookInput) =>
      (await execute(createDocument, { input })).createWebhook.secret,
    true,
  );

export const useUpdateWebhook = (shownInPlace = true) =>
  useAlertMutation((input: UpdateWebhookInput) => execute(updateDocument, { input }), shownInPlace);

export const useRotateSecret = () =>
  useAlertMutation(
    async (id: string) => (await execute(rotateDocument, { id })).rotateWebhookSecret.secret,
    true,
  );

export const useDeleteWebhook = () =>
  useAlertMutation((id: string) => execute(deleteDocument, { id }), true);

export const useTestWebhook = () =>
  useAlertMutation(
    async (id: string) => (await execute(testDocument, { id })).testWebhook.delivery,
  );

export const useRetryDelivery = () =>
  useAlertMutation((id: string) => execute(retryDocument, { id }));
