import { Skeleton } from "@mantine/core";

interface Props {
  columns: { id: string; numeric?: boolean; from?: string }[];
  selectable?: boolean;
  rows?: number;
}

/** Rows of the height that real ones have, so that nothing jumps when they come. */
export function SkeletonRows({ columns, selectable = false, rows = 8 }: Props) {
  return Array.from({ length: rows }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move
    <tr key={row} aria-hidden>
      {selectable ? <td /> : null}
      {columns.map(({ id, numeric, from }, column) => (
        <td key={id} data-numeric={numeric || undefined} data-from={from}>
          <Skeleton
            height={12}
            my={4}
            width={column === 0 ? `${62 - (row % 3) * 9}%` : "50%"}
            ml={numeric ? "auto" : 0}
          />
        </td>
      ))}
    </tr>
  ));
}
