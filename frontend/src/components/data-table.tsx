import { Paper } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { LinkProps } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useRef } from "react";
import { LoadFailure } from "@/components/loaded";
import { ScrollFrame } from "@/components/scroll-frame";
import { TableFooter } from "@/components/table-footer";
import {
  BodyRow,
  type Column,
  HeaderCell,
  SelectAll,
  type Selection,
} from "@/components/table-parts";
import { SkeletonRows } from "@/components/table-skeleton";
import { type Page, rowsOf } from "@/lib/pages";
import classes from "./data-table.module.css";

export type { Column } from "@/components/table-parts";

// Few people ever scroll that far, so what it takes comes when they do.
const LongRows = lazy(() => import("@/components/long-rows"));
const wholeUpTo = 100;

interface Props<Row extends { id: string }, Sort extends string> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: Column<Row, Sort>[];
  query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  /** Shown instead of the table when there are no rows. */
  empty: ReactNode;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  /** Where a row leads: its first column becomes the link, and a click anywhere in the row follows it. */
  rowLink?: (row: Row) => LinkProps;
  selection?: Selection;
  /** How many rows there are on all pages, where the server was asked to count. */
  total?: number | undefined;
  /** Without a frame of its own, for a table inside a card. */
  flush?: boolean;
  /** Whether the next page comes as the reader gets to the end, or only when asked for. */
  pacing?: "scroll" | "asked";
  skeletonRows?: number;
  /** Cells begin on one line, for rows that are tall. */
  tall?: boolean;
}

/**
 * A list that the server sorts, filters and cuts into pages. Pages are added at the end as the reader
 * gets there; of a long list only the rows in sight are in the document.
 */
export function DataTable<Row extends { id: string }, Sort extends string = never>(
  props: Props<Row, Sort>,
) {
  const { columns, query, selection, rowLink, flush = false } = props;
  const rows = rowsOf(query.data);
  const body = useRef<HTMLTableSectionElement>(null);

  if (query.data === undefined && query.isError) {
    return framed(flush, <LoadFailure error={query.error} onRetry={() => void query.refetch()} />);
  }
  if (query.data !== undefined && rows.length === 0) return framed(flush, props.empty);

  const renderRow = (row: Row, index: number): ReactNode => (
    <BodyRow
      key={row.id}
      row={row}
      index={index}
      columns={columns}
      selection={selection}
      link={rowLink?.(row)}
    />
  );
  const first = rows.slice(0, wholeUpTo).map(renderRow);
  const long = rows.length > wholeUpTo;

  return framed(
    flush,
    <>
      <ScrollFrame label={props.label}>
        <table
          className={classes.table}
          aria-label={props.label}
          aria-busy={query.data === undefined || query.isPlaceholderData}
          {...(long ? { "aria-rowcount": query.hasNextPage ? -1 : rows.length + 1 } : {})}
          data-stale={query.isPlaceholderData || undefined}
          data-tall={props.tall || undefined}
        >
          <thead>
            <tr>
              {selection ? <SelectAll rows={rows} selection={selection} /> : null}
              {columns.map((column) => (
                <HeaderCell
                  key={column.id}
                  column={column}
                  sort={props.sort}
                  onSort={props.onSort}
                />
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            {query.data === undefined ? (
              <SkeletonRows
                columns={columns}
                selectable={selection !== undefined}
                rows={props.skeletonRows ?? 8}
              />
            ) : long ? (
              <Suspense fallback={first}>
                <LongRows
                  count={rows.length}
                  body={body}
                  columns={columns.length + (selection ? 1 : 0)}
                  renderRow={(index) => {
                    const row = rows[index];
                    return row === undefined ? null : renderRow(row, index);
                  }}
                />
              </Suspense>
            ) : (
              first
            )}
          </tbody>
        </table>
      </ScrollFrame>
      {query.data === undefined ? null : (
        <TableFooter
          query={query}
          shown={rows.length}
          total={props.total}
          pacing={props.pacing ?? "scroll"}
        />
      )}
    </>,
  );
}

function framed(flush: boolean, children: ReactNode) {
  if (flush) return children;
  return (
    <Paper withBorder radius="md" className={classes.frame}>
      {children}
    </Paper>
  );
}
