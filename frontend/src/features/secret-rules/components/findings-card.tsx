import { Badge, Text } from "@mantine/core";
import { IconShieldSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Column } from "@/components/data-table";
import { LogCard } from "@/components/log-card";
import { When } from "@/components/when";
import { type Finding, findingsQuery } from "@/features/secret-rules/queries";
import { actions } from "@/features/secret-rules/words";
import { Person } from "@/features/usage/person";
import type { SecretAction } from "@/gql/graphql";
import { plural } from "@/lib/numbers";

const useFindings = (action: SecretAction | null) => useInfiniteQuery(findingsQuery(action));

/** In whose calls rules matched. */
export const FindingsCard = () => (
  <LogCard
    title="Findings"
    description="Calls in which rules matched, newest first. What was matched is kept nowhere."
    narrowing="Which findings"
    statuses={actions}
    columns={columns}
    useRows={useFindings}
    icon={IconShieldSearch}
    none={["No such findings", "Nothing found yet"]}
  >
    Every call in which a rule matches shows up here, and stays for 90 days.
  </LogCard>
);

const columns: Column<Finding>[] = [
  {
    id: "rule",
    header: "Rule",
    cell: ({ ruleName, matches }) => (
      <>
        <span style={{ overflowWrap: "anywhere" }}>{ruleName}</span>
        <Text size="xs" c="dimmed">
          {plural(matches, "match", "matches")}
        </Text>
      </>
    ),
  },
  {
    id: "action",
    header: "Action",
    cell: ({ action }) => <Badge color={actions[action].color}>{actions[action].label}</Badge>,
  },
  {
    id: "who",
    header: "Who",
    cell: ({ userLabel, user }) => <Person label={userLabel} {...(user ? { id: user.id } : {})} />,
  },
  { id: "key", header: "Key", cell: ({ keyLabel }) => keyLabel || "–", from: "md" },
  {
    id: "model",
    header: "Model",
    cell: ({ modelSlug }) => <span className="mono">{modelSlug}</span>,
    from: "md",
  },
  { id: "at", header: "When", cell: ({ at }) => <When at={at} />, from: "sm" },
];
