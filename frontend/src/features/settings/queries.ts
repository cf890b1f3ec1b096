import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { InstallationQuery, MailLogQuery, MailStatus } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const installationDocument = graphql(`
  query Installation {
    deployment { version publicUrl timeZone mailConfigured }
    installation {
      database invitationDays passwordLinkMinutes
      settings { name description value given secret }
      encryption {
        primary { id madeAt credentials }
        secondary { id credentials }
        unreadable
      }
    }
    jobs { name running finishedAt dueAt failures error }
  }
`);

const mailCountsDocument = graphql(`
  query MailCounts {
    queued: mailDeliveries(first: 1, status: QUEUED) { totalCount }
    failed: mailDeliveries(first: 1, status: FAILED) { totalCount }
  }
`);

const mailLogDocument = graphql(`
  query MailLog($first: Int!, $after: String, $status: MailStatus) {
    mailDeliveries(first: $first, after: $after, status: $status) {
      edges {
        node { id kind recipient status attempts createdAt nextAttemptAt finishedAt error userId }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const sendTestDocument = graphql(`
  mutation SendTestMail($to: String!) {
    sendTestMail(to: $to) { to }
  }
`);

const retryDocument = graphql(`
  mutation RetryMail($id: ID!) {
    retryMail(id: $id) { delivery { id } }
  }
`);

export type Installation = InstallationQuery["installation"];
export type Setting = Installation["settings"][number];
export type Job = InstallationQuery["jobs"][number];
export type Letter = MailLogQuery["mailDeliveries"]["edges"][number]["node"];

export const installationQuery = queryOptions({
  queryKey: keys.installation,
  queryFn: () => execute(installationDocument),
});

// Letters leave in the background, so that these figures move by themselves.
const refreshEvery = 10_000;

export const mailCountsQuery = queryOptions({
  queryKey: keys.mailCounts,
  queryFn: async () => {
    const { queued, failed } = await execute(mailCountsDocument);
    return { queued: queued.totalCount, failed: failed.totalCount };
  },
  refetchInterval: refreshEvery,
});

export const mailLogQuery = (status: MailStatus | null) =>
  pagesQuery<Letter>({
    queryKey: keys.mailLog(status),
    fetch: async (after) => {
      // Few at first: what is set up stands below them.
      const first = after === null ? 5 : 50;
      return (await execute(mailLogDocument, { first, after, status })).mailDeliveries;
    },
  });

export const useSendTestMail = () =>
  useMutation({
    meta: { shownInPlace: true },
    mutationFn: async (to: string) => (await execute(sendTestDocument, { to })).sendTestMail.to,
  });

export function useRetryMail() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => execute(retryDocument, { id }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.mail }),
  });
}
