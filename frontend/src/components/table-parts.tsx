import { Checkbox, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconSelector } from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import { type ReactNode, useRef } from "react";
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

interface HeaderProps<Row, Sort extends string> {
  column: Column<Row, Sort>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}

export function HeaderCell<Row, Sort extends string>({
  column,
  sort,
  onSort,
}: HeaderProps<Row, Sort>) {
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

export function SelectAll({ rows, selection }: { rows: { id: string }[]; selection: Selection }) {
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

export interface RowProps<Row extends { id: string }, Sort extends string> {
  row: Row;
  index: number;
  columns: Column<Row, Sort>[];
  selection: Selection | undefined;
  link: LinkProps | undefined;
}

export function BodyRow<Row extends { id: string }, Sort extends string>(
  props: RowProps<Row, Sort>,
) {
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
