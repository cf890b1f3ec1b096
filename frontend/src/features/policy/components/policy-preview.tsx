import { Alert, Anchor, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconEye } from "@tabler/icons-react";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import {
  type GroupPreview,
  groupPreviewQuery,
  type PreviewedValues,
  type UserPreview,
  userPreviewQuery,
} from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";
import { dimensions, windows } from "@/features/policy/words";
import { formatUsd, parseUsd } from "@/lib/currency";
import { messageOf } from "@/lib/errors";
import { formatCount, plural } from "@/lib/numbers";

interface Props {
  /** A pool is no part of merging, so there is nothing to tell of one. */
  subject: Subject;
  values: PreviewedValues;
}

const pause = 300;

/** What it would do to save what is typed; nothing is changed by asking. */
export function PolicyPreview({ subject, values }: Props) {
  const [settled] = useDebouncedValue(JSON.stringify(values), pause);
  const typed = JSON.parse(settled) as PreviewedValues;
  if (subject.kind === "user") return <OfUser userId={subject.id} values={typed} />;
  return subject.kind === "group" ? <OfGroup groupId={subject.id} values={typed} /> : null;
}

function OfGroup({ groupId, values }: { groupId: string; values: PreviewedValues }) {
  const query = useQuery(groupPreviewQuery(groupId, values));
  return (
    <Notice query={query} whom="each member" alarming={(found) => found.blocked > 0}>
      {(found) => (
        <>
          {sentenceOf(found)}
          <Blocked preview={found} />
        </>
      )}
    </Notice>
  );
}

function OfUser({ userId, values }: { userId: string; values: PreviewedValues }) {
  const query = useQuery(userPreviewQuery(userId, values));
  return (
    <Notice query={query} whom="this user" alarming={(found) => found?.blocked === true}>
      {(found) =>
        found === null ? (
          "It changes nothing of what is in force."
        ) : (
          <Stack component="ul" gap={2} m={0} p={0} style={{ listStyle: "none" }}>
            {changesOf(found).map((change) => (
              <li key={change}>{change}</li>
            ))}
            {found.unblocked ? <li>Calls that are refused now go through again.</li> : null}
          </Stack>
        )
      }
    </Notice>
  );
}

interface NoticeProps<T> {
  query: UseQueryResult<T>;
  whom: string;
  alarming: (found: T) => boolean;
  children: (found: T) => ReactNode;
}

function Notice<T>({ query, whom, alarming, children }: NoticeProps<T>) {
  const { data } = query;
  if (data === undefined && query.isError) {
    return (
      <Text size="xs" c="dimmed" role="status">
        What this would do can't be told now: {messageOf(query.error)}
      </Text>
    );
  }
  return (
    <Alert
      color={data !== undefined && alarming(data) ? "red" : "blue"}
      icon={<IconEye aria-hidden />}
      title="If you save this"
      role="status"
      style={{ opacity: query.isPlaceholderData ? 0.6 : 1 }}
    >
      {data === undefined ? `Looking at what it would do to ${whom}…` : children(data)}
    </Alert>
  );
}

/** "Would block now: monthly cap $50.00, spent $61.00", one line for each value in force that would be another. */
function changesOf({ limits, budgets, blocked }: UserPreview): string[] {
  return [
    ...budgets.map(({ window, before, after, spent }) => {
      const label = windows.find((one) => one.window === window)?.label.toLowerCase() ?? "";
      const full = after !== null && (parseUsd(spent) ?? 0n) >= (parseUsd(after) ?? 0n);
      return blocked && full
        ? `Would block now: ${label} ${capWords(after)}, spent ${formatUsd(spent)}.`
        : `In force then: ${label} ${capWords(after)} instead of ${capWords(before)}.`;
    }),
    ...limits.map(({ dimension, before, after }) => {
      const label = dimensions.find((one) => one.dimension === dimension)?.label.toLowerCase();
      return blocked && after === 0
        ? `Would block now: ${label} 0.`
        : `In force then: ${label} ${limitWords(after)} instead of ${limitWords(before)}.`;
    }),
  ];
}

const capWords = (cap: string | null): string => (cap === null ? "no limit" : formatUsd(cap));

const limitWords = (limit: number | null): string =>
  limit === null ? "no limit" : formatCount(limit);

function sentenceOf({ people, stricter, looser, blocked, unblocked }: GroupPreview): string {
  const parts = [
    stricter > 0 ? `tightens ${plural(stricter, "member")}` : "",
    looser > 0 ? `loosens ${plural(looser, "member")}` : "",
    blocked > 0 ? `blocks ${blocked} now` : "",
    unblocked > 0 ? `lets ${unblocked} go on who are blocked now` : "",
  ].filter((part) => part !== "");
  if (parts.length === 0) return `It changes nothing for any of ${plural(people, "member")}.`;
  return `It ${parts.join(", ")}, of ${plural(people, "member")}.`;
}

function Blocked({ preview: { blocked, affected } }: { preview: GroupPreview }) {
  const named = affected.filter((person) => person.blocked);
  if (named.length === 0) return null;
  return (
    <Text size="sm" mt={4} component="div">
      Blocked:{" "}
      {named.map(({ user }, position) => (
        <span key={user.id}>
          {position === 0 ? "" : ", "}
          <Anchor
            inherit
            underline="always"
            c="inherit"
            renderRoot={(props) => (
              <Link to="/admin/users/$userId" params={{ userId: user.id }} {...props} />
            )}
          >
            {user.name || user.email}
          </Anchor>
        </span>
      ))}
      {blocked > named.length ? ` and ${plural(blocked - named.length, "other")}` : ""}
    </Text>
  );
}
