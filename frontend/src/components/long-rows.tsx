import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useLayoutEffect, useState } from "react";
import classes from "./data-table.module.css";

const guessedHeight = 49;

interface Props {
  count: number;
  body: RefObject<HTMLElement | null>;
  /** How many columns the spacers above and below have to span. */
  columns: number;
  renderRow: (index: number) => ReactNode;
}

/** The rows that are in sight of the window, with the height of all others kept free. */
export default function LongRows({ count, body, columns, renderRow }: Props) {
  const [top, setTop] = useState(0);

  useLayoutEffect(() => {
    if (body.current) setTop(body.current.getBoundingClientRect().top + window.scrollY);
  }, [body]);

  const virtualizer = useWindowVirtualizer({
    count,
    estimateSize: () =>
      body.current?.querySelector<HTMLElement>("tr[data-index]")?.offsetHeight || guessedHeight,
    overscan: 12,
    scrollMargin: top,
  });
  const items = virtualizer.getVirtualItems();

  // Rows of different heights: what is in the document is measured, the rest is guessed.
  useLayoutEffect(() => {
    for (const row of body.current?.querySelectorAll<HTMLElement>("tr[data-index]") ?? [])
      if (row.offsetHeight > 0) virtualizer.measureElement(row);
  });

  const before = Math.max(0, (items[0]?.start ?? top) - top);
  const after = Math.max(0, virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top));

  return (
    <>
      <Spacer height={before} columns={columns} />
      {items.map(({ index }) => renderRow(index))}
      <Spacer height={after} columns={columns} />
    </>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  if (height === 0) return null;
  return (
    <tr aria-hidden className={classes.spacer}>
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}
