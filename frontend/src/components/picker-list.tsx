import { Box, Button, Center, Group, Stack } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LoadFailure } from "@/components/loaded";
import { SearchInput } from "@/components/search-input";
import { LinesSkeleton } from "@/components/skeletons";
import { type Page, rowsOf } from "@/lib/pages";

interface Props<Row extends { id: string }> {
  /** "Search users by name or e-mail" */
  searchLabel: string;
  search: string;
  onSearch: (search: string) => void;
  query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  /** What the list holds, for screen readers. */
  label: string;
  empty: ReactNode;
  /** What a row shows, and what can be done with it. */
  children: (row: Row) => ReactNode;
  action: (row: Row) => ReactNode;
}

/** A searched list inside a dialog, of which one takes what is needed. */
export function PickerList<Row extends { id: string }>(props: Props<Row>) {
  const { query } = props;
  return (
    <Stack gap="sm">
      <SearchInput
        label={props.searchLabel}
        value={props.search}
        onChange={props.onSearch}
        data-autofocus
      />
      <Box h={320} style={{ overflowY: "auto" }}>
        {query.data !== undefined ? (
          <Rows {...props} />
        ) : query.isError ? (
          <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <LinesSkeleton rows={6} />
        )}
      </Box>
    </Stack>
  );
}

function Rows<Row extends { id: string }>({ query, label, empty, children, action }: Props<Row>) {
  const rows = rowsOf(query.data);
  if (rows.length === 0) return empty;
  return (
    <>
      <Stack component="ul" gap={0} aria-label={label} m={0} p={0}>
        {rows.map((row) => (
          <Group
            key={row.id}
            component="li"
            justify="space-between"
            wrap="nowrap"
            gap="md"
            py={8}
            px={4}
            style={{ listStyle: "none" }}
          >
            <div style={{ minWidth: 0 }}>{children(row)}</div>
            {action(row)}
          </Group>
        ))}
      </Stack>
      {query.hasNextPage ? (
        <Center py="xs">
          <Button
            variant="subtle"
            size="compact-sm"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Show more
          </Button>
        </Center>
      ) : null}
    </>
  );
}
