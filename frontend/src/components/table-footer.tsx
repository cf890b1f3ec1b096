import { Button, Group, Text } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { formatCount } from "@/lib/numbers";
import classes from "./data-table.module.css";

interface Props {
  query: Pick<
    UseInfiniteQueryResult,
    "hasNextPage" | "isFetchingNextPage" | "isFetchNextPageError" | "fetchNextPage"
  >;
  shown: number;
  total: number | undefined;
  pacing: "scroll" | "asked";
}

/** How much is shown, and the way to more of it. */
export function TableFooter({ query, shown, total, pacing }: Props) {
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const mayFetch =
    pacing === "scroll" && hasNextPage && !isFetchingNextPage && !isFetchNextPageError;

  useEffect(() => {
    if (!mayFetch || !end.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) void fetchNextPage();
      },
      { rootMargin: "600px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [mayFetch, fetchNextPage]);

  if (!hasNextPage && total === undefined) return null;
  return (
    <Group ref={end} justify="space-between" px="lg" py="xs" className={classes.footer}>
      <Text size="xs" c="dimmed" role="status">
        {total === undefined
          ? `${formatCount(shown)} shown`
          : `${formatCount(shown)} of ${formatCount(total)}`}
        {isFetchNextPageError ? " · the next page could not be loaded" : ""}
      </Text>
      {hasNextPage ? (
        <Button
          size="compact-xs"
          variant="subtle"
          loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {isFetchNextPageError ? "Try again" : "Load more"}
        </Button>
      ) : null}
    </Group>
  );
}
