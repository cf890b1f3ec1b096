import { Stack, Text } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Column } from "@/components/data-table";
import { OwnerFilters, OwnerName, subjectOf } from "@/features/limits/owner";
import { OwnersPage } from "@/features/limits/owners-page";
import { type RateLimitOwner, rateLimitOwnersQuery } from "@/features/limits/queries";
import type { LimitsSearch } from "@/features/limits/search";
import { Meter } from "@/features/policy/components/meter";
import { RateLimitCard } from "@/features/policy/components/rate-limit-card";
import { TemporaryBadge } from "@/features/policy/components/temporary-badge";
import { dimensions } from "@/features/policy/words";
import { exportAddress } from "@/lib/export-address";
import { formatCompact, formatCount, formatLimit } from "@/lib/numbers";
import { useTableState } from "@/lib/use-table-state";
import classes from "./limits.module.css";

/** All rate limits of people, groups and pools, with what is in use of each. */
export function RateLimitsPage() {
  const { state, set, clear, isFiltered } = useTableState<LimitsSearch>();
  const query = useInfiniteQuery(rateLimitOwnersQuery(state));
  return (
    <OwnersPage
      title="Rate limits"
      values="Rate limits"
      description="Everybody who has limits of their own, with what is in use now. A group's limits count each member's own use, so they have no bar."
      icon={IconGauge}
      file={exportAddress("rate-limits.csv", { search: state.q, kind: state.kind })}
      filters={<OwnerFilters state={state} onChange={set} />}
      columns={columns}
      query={query}
      narrowed={
        isFiltered("q", "kind")
          ? { title: "No limit matches", text: "Nobody with limits is like this.", onClear: clear }
          : null
      }
      none={{
        title: "No rate limits yet",
        text: "Set limits on the page of a person or a group; they show up here.",
      }}
      edit={(owner) => (
        <RateLimitCard
          subject={subjectOf(owner)}
          rateLimit={owner.rateLimit}
          version={owner.rateLimit.version}
        />
      )}
    />
  );
}

const columns: Column<RateLimitOwner>[] = [
  {
    id: "owner",
    header: "Whose",
    cell: (owner) => (
      <>
        <OwnerName owner={owner} />
        {dimensions.map((words) => {
          const { limit, raise } = limitOf(owner, words);
          return limit === null && raise === undefined ? null : (
            <Text key={words.dimension} size="xs" c="dimmed" component="div" hiddenFrom="lg">
              {words.label}: {formatLimit(limit)}
              {raise ? <TemporaryBadge endsAt={raise.endsAt} title={raise.reason} /> : null}
            </Text>
          );
        })}
      </>
    ),
  },
  ...dimensions.map(
    (words): Column<RateLimitOwner> => ({
      id: words.dimension,
      header: words.label,
      width: "17%",
      from: "lg",
      numeric: true,
      cell: (owner) => <Limit owner={owner} words={words} />,
    }),
  ),
];

type Words = (typeof dimensions)[number];

/** What holds of one dimension, and what is in use of it; a group counts nothing of its own. */
function limitOf({ rateLimit, uses, overrides }: RateLimitOwner, { dimension, field }: Words) {
  const use = uses?.find((one) => one.dimension === dimension);
  return {
    limit: (use ? use.limit : rateLimit[field]) ?? null,
    used: use?.used,
    raise: overrides.find((one) => one.dimension === dimension),
  };
}

function Limit({ owner, words }: { owner: RateLimitOwner; words: Words }) {
  const { limit, used, raise } = limitOf(owner, words);
  const { label, unit } = words;
  if (limit === null) {
    return (
      <Stack gap={4} align="flex-end">
        <Text span inherit c="dimmed">
          No limit
        </Text>
        {raise ? <TemporaryBadge endsAt={raise.endsAt} title={raise.reason} compact /> : null}
      </Stack>
    );
  }
  const shown = limit === 0 ? "Blocked" : formatCompact(limit);
  if (used === undefined) {
    return <span title={formatLimit(limit)}>{limit === 0 ? shown : `${shown} each`}</span>;
  }
  return (
    <Stack gap={4}>
      <span
        className={classes.figures}
        title={`${formatCount(used)} of ${formatCount(limit)} ${unit}`}
      >
        {formatCompact(used)} <span>{limit === 0 ? shown : `of ${shown}`}</span>
      </span>
      <Meter
        label={`${label} of ${owner.name}`}
        text={`${formatCount(used)} of ${formatCount(limit)} ${unit}`}
        used={limit === 0 ? 100 : (used / limit) * 100}
      />
      {raise ? <TemporaryBadge endsAt={raise.endsAt} title={raise.reason} compact /> : null}
    </Stack>
  );
}
