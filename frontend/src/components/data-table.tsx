import {
  Button,
  Checkbox,
  Group,
  Paper,
  Text,
  UnstyledButton,
  VisuallyHidden,
} from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconSelector } from "@tabler/icons-react";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { Link, type LinkProps } from "@tanstack/react-router";
import { type Key, type ReactNode, useEffect, useRef } from "react";
import { LoadFailure } from "@/components/loaded";
import { SkeletonRows } from "@/components/table-skeleton";
import { useVirtualRows } from "@/components/use-virtual-rows";
import { formatCount } from "@/lib/numbers";
import { type Page, rowsOf } from "@/lib/pages";
import classes from "./data-table.module.css";

export interface Column<Row, Sort extends string = never> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** Right-aligned with figures of one width. */
  numeric?: boolean;
  width?: number | string;
  /** The server's names for the two orders; without them the column can't be sorted. */
  sort?: { asc: Sort; desc: Sort };
  /** Left out where the table has less room than this. */
  from?: "sm" | "md" | "lg";
  /** A column of buttons or menus: its header is for screen readers only. */
  bare?: boolean;
}

export interface Selection {
  selected: ReadonlySet<string>;
  onChange: (selected: Set<string>) => void;
  /** Names a row's checkbox: "Select Ada Lovelace". */
  nameOf: (id: string) => string;
}

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
  /** More rows come on demand alone, because something stands below the table that has to stay in reach. */
  onDemand?: boolean;
}

/**
 * A list that the server sorts, filters and cuts into pages. Pages are added at the end as the reader
 * gets there; of a long list only the rows in sight are in the document.
 */
export function DataTable<Row extends { id: string }, Sort extends string = never>(
  props: Props<Row, Sort>,
) {
  const { columns, query, selection, empty, flush = false } = props;
  const rows = rowsOf(query.data);
  const body = useRef<HTMLTableSectionElement>(null);
  const { visible, before, after } = useVirtualRows(rows, body);
  const span = columns.length + (selection ? 1 : 0);

  if (query.data === undefined && query.isError) {
    return framed(flush, <LoadFailure error={query.error} onRetry={() => void query.refetch()} />);
  }
  if (query.data !== undefined && rows.length === 0) return framed(flush, empty);

  return framed(
    flush,
    <>
      <div className={classes.scroll}>
        <table
          className={classes.table}
          aria-label={props.label}
          aria-busy={query.data === undefined || query.isPlaceholderData}
          {...(before || after
            ? { "aria-rowcount": query.hasNextPage ? -1 : rows.length + 1 }
            : {})}
          data-stale={query.isPlaceholderData || undefined}
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
              <SkeletonRows columns={columns} selectable={selection !== undefined} />
            ) : null}
            <Spacer height={before} span={span} />
            {visible.map(({ row, index }) => (
              <BodyRow
                key={row.id as Key}
                row={row}
                index={index}
                columns={columns}
                selection={selection}
                link={props.rowLink?.(row)}
              />
            ))}
            <Spacer height={after} span={span} />
          </tbody>
        </table>
      </div>
      {query.data === undefined ? null : (
        <Footer
          query={query}
          shown={rows.length}
          total={props.total}
          onDemand={props.onDemand ?? false}
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

interface HeaderProps<Row, Sort extends string> {
  column: Column<Row, Sort>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}

function HeaderCell<Row, Sort extends string>({ column, sort, onSort }: HeaderProps<Row, Sort>) {
  const orders = column.sort;
  const direction =
    orders && sort === orders.asc
      ? "ascending"
      : orders && sort === orders.desc
        ? "descending"
        : undefined;
  const Arrow =
    direction === "ascending"
      ? IconArrowUp
      : direction === "descending"
        ? IconArrowDown
        : IconSelector;
  return (
    <th
      scope="col"
      data-numeric={column.numeric || undefined}
      data-from={column.from}
      style={column.width === undefined ? undefined : { width: column.width }}
      {...(orders ? { "aria-sort": direction ?? "none" } : {})}
    >
      {orders && onSort ? (
        <UnstyledButton
          className={classes.sort}
          data-sorted={direction !== undefined || undefined}
          onClick={() => onSort(direction === "ascending" ? orders.desc : orders.asc)}
        >
          {column.header}
          <Arrow size={13} aria-hidden />
        </UnstyledButton>
      ) : column.bare ? (
        <VisuallyHidden>{column.header}</VisuallyHidden>
      ) : (
        column.header
      )}
    </th>
  );
}

function SelectAll({ rows, selection }: { rows: { id: string }[]; selection: Selection }) {
  const chosen = rows.filter(({ id }) => selection.selected.has(id)).length;
  const all = rows.length > 0 && chosen === rows.length;
  return (
    <th scope="col" className={classes.select}>
      <Checkbox
        size="xs"
        aria-label={all ? "Select none" : "Select all loaded rows"}
        checked={all}
        indeterminate={chosen > 0 && !all}
        disabled={rows.length === 0}
        onChange={() => selection.onChange(new Set(all ? [] : rows.map(({ id }) => id)))}
      />
    </th>
  );
}

interface RowProps<Row extends { id: string }, Sort extends string> {
  row: Row;
  index: number;
  columns: Column<Row, Sort>[];
  selection: Selection | undefined;
  link: LinkProps | undefined;
}

function BodyRow<Row extends { id: string }, Sort extends string>(props: RowProps<Row, Sort>) {
  const { row, index, columns, selection, link } = props;
  const anchor = useRef<HTMLAnchorElement>(null);
  const selected = selection?.selected.has(row.id) ?? false;

  function toggle(id: string): void {
    if (!selection) return;
    const next = new Set(selection.selected);
    if (!next.delete(id)) next.add(id);
    selection.onChange(next);
  }

  return (
    // Keyboards use the link in the first cell; the row only widens it for the mouse.
    <tr
      aria-rowindex={index + 2}
      data-index={index}
      data-selected={selected || undefined}
      data-linked={link !== undefined || undefined}
      onClick={(event) => {
        // A dialog that a cell opened passes its clicks on to the row, but is no part of it.
        const inside = event.currentTarget.contains(event.target as Node);
        if (link && inside && !isControl(event.target) && !window.getSelection()?.toString())
          anchor.current?.click();
      }}
    >
      {selection ? (
        <td className={classes.select}>
          <Checkbox
            size="xs"
            aria-label={`Select ${selection.nameOf(row.id)}`}
            checked={selected}
            onChange={() => toggle(row.id)}
          />
        </td>
      ) : null}
      {columns.map((column, position) => (
        <td key={column.id} data-numeric={column.numeric || undefined} data-from={column.from}>
          {link && position === 0 ? (
            <Link {...link} ref={anchor} className={classes.link}>
              {column.cell(row)}
            </Link>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}

const isControl = (target: EventTarget): boolean =>
  target instanceof Element && target.closest("a, button, input, label, [role=menu]") !== null;

function Spacer({ height, span }: { height: number; span: number }) {
  if (height === 0) return null;
  return (
    <tr aria-hidden className={classes.spacer}>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

interface FooterProps {
  query: Pick<
    UseInfiniteQueryResult,
    "hasNextPage" | "isFetchingNextPage" | "isFetchNextPageError" | "fetchNextPage"
  >;
  shown: number;
  total: number | undefined;
  onDemand: boolean;
}

function Footer({ query, shown, total, onDemand }: FooterProps) {
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const mayFetch = hasNextPage && !isFetchingNextPage && !isFetchNextPageError && !onDemand;

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
