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
import { dimensions } from "@/features/policy/words";
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
        {dimensions.map(({ dimension, field, label }) => {
          const limit = owner.rateLimit[field];
          return limit === null || limit === undefined ? null : (
            <Text key={dimension} size="xs" c="dimmed" hiddenFrom="md">
              {label}: {formatLimit(limit)}
            </Text>
          );
        })}
      </>
    ),
  },
  ...dimensions.map(
    ({ dimension, field, label, unit }): Column<RateLimitOwner> => ({
      id: dimension,
      header: label,
      width: "17%",
      from: "md",
      cell: ({ rateLimit, uses, name }) => {
        const limit = rateLimit[field];
        if (limit === null || limit === undefined) {
          return (
            <Text span inherit c="dimmed">
              No limit
            </Text>
          );
        }
        const used = uses?.find((one) => one.dimension === dimension)?.used;
        if (used === undefined) {
          return (
            <span title={formatCount(limit)}>
              {limit === 0 ? "Blocked" : `${formatCompact(limit)} each`}
            </span>
          );
        }
        return (
          <Stack gap={4}>
            <span
              className={classes.figures}
              title={`${formatCount(used)} of ${formatLimit(limit)} ${unit}`}
            >
              {formatCompact(used)} of {limit === 0 ? "0, blocked" : formatCompact(limit)}
            </span>
            <Meter
              label={`${label} of ${name}`}
              text={`${formatCount(used)} of ${formatCount(limit)} ${unit}`}
              used={limit === 0 ? 100 : (used / limit) * 100}
            />
          </Stack>
        );
      },
    }),
  ),
];
