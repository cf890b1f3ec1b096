import { Alert, Anchor, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconEye } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  type PolicyPreview as Preview,
  type PreviewedValues,
  policyPreviewQuery,
} from "@/features/policy/queries";
import { messageOf } from "@/lib/errors";
import { plural } from "@/lib/numbers";

interface Props {
  groupId: string;
  values: PreviewedValues;
}

const pause = 300;

/** Whom it would tighten and whom it would stop to save what is typed; nothing is changed by asking. */
export function PolicyPreview({ groupId, values }: Props) {
  const [settled] = useDebouncedValue(JSON.stringify(values), pause);
  const query = useQuery(policyPreviewQuery(groupId, JSON.parse(settled) as PreviewedValues));
  const { data } = query;
  if (data === undefined && query.isError) {
    return (
      <Text size="xs" c="dimmed" role="status">
        What this would do to members can't be told now: {messageOf(query.error)}
      </Text>
    );
  }
  return (
    <Alert
      color={data !== undefined && data.blocked > 0 ? "red" : "blue"}
      icon={<IconEye aria-hidden />}
      title="If you save this"
      role="status"
      style={{ opacity: query.isPlaceholderData ? 0.6 : 1 }}
    >
      {data === undefined ? "Looking at what it would do to each member…" : sentenceOf(data)}
      {data === undefined ? null : <Blocked preview={data} />}
    </Alert>
  );
}

function sentenceOf({ people, stricter, looser, blocked, unblocked }: Preview): string {
  const parts = [
    stricter > 0 ? `tightens ${plural(stricter, "member")}` : "",
    looser > 0 ? `loosens ${plural(looser, "member")}` : "",
    blocked > 0 ? `blocks ${blocked} now` : "",
    unblocked > 0 ? `lets ${unblocked} go on who are blocked now` : "",
  ].filter((part) => part !== "");
  if (parts.length === 0) return `It changes nothing for any of ${plural(people, "member")}.`;
  return `It ${parts.join(", ")}, of ${plural(people, "member")}.`;
}

function Blocked({ preview: { blocked, affected } }: { preview: Preview }) {
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
