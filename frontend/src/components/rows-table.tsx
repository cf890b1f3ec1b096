import type { LinkProps } from "@tanstack/react-router";
import { ScrollFrame } from "@/components/scroll-frame";
import { BodyRow, type Column, HeaderCell } from "@/components/table-parts";
import { SkeletonRows } from "@/components/table-skeleton";
import classes from "./data-table.module.css";

interface Props<Row extends { id: string }> {
  label: string;
  columns: Column<Row>[];
  /** Undefined while they load. */
  rows: Row[] | undefined;
  rowLink?: (row: Row) => LinkProps;
  /** Shown from the last question while the next one is answered. */
  stale?: boolean;
  skeletonRows?: number;
}

/** A short list that came as a whole, in the looks of the paged ones. Its card brings the frame. */
export function RowsTable<Row extends { id: string }>(props: Props<Row>) {
  const { label, columns, rows, rowLink, stale = false, skeletonRows = 3 } = props;
  return (
    <ScrollFrame label={label}>
      <table
        className={classes.table}
        aria-label={label}
        aria-busy={rows === undefined || stale}
        data-stale={stale || undefined}
      >
        <thead>
          <tr>
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={undefined} onSort={undefined} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined ? (
            <SkeletonRows columns={columns} rows={skeletonRows} />
          ) : (
            rows.map((row, index) => (
              <BodyRow
                key={row.id}
                row={row}
                index={index}
                columns={columns}
                selection={undefined}
                link={rowLink?.(row)}
              />
            ))
          )}
        </tbody>
      </table>
    </ScrollFrame>
  );
}
