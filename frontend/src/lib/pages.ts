import { type InfiniteData, infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";

/** One page of a connection, as every list of the schema answers. */
export interface Page<Row> {
  edges: { node: Row }[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
  totalCount?: number;
}

interface Options<Row> {
  queryKey: readonly unknown[];
  /** Fetches the page after a cursor, or the first one. */
  fetch: (after: string | null) => Promise<Page<Row>>;
  staleTime?: number;
}

/** A list in keyset pages. While a new search or order loads, the rows of the last one stay in sight. */
export function pagesQuery<Row>({ queryKey, fetch, ...rest }: Options<Row>) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam }) => fetch(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ pageInfo }) =>
      pageInfo.hasNextPage ? (pageInfo.endCursor ?? undefined) : undefined,
    placeholderData: keepPreviousData,
    ...rest,
  });
}

export function rowsOf<Row>(data: InfiniteData<Page<Row>, unknown> | undefined): Row[] {
  return data?.pages.flatMap((page) => page.edges.map(({ node }) => node)) ?? [];
}

/** What the server counted on all pages, where it was asked to. */
export const totalOf = (
  data: InfiniteData<Page<unknown>, unknown> | undefined,
): number | undefined => data?.pages[0]?.totalCount;
