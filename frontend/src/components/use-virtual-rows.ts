import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useState } from "react";

const wholeUpTo = 100;
const guessedHeight = 49;

interface VirtualRows<Row> {
  visible: { row: Row; index: number }[];
  /** Heights, in pixels, of what is left out above and below. */
  before: number;
  after: number;
}

/** The rows of a table that are in sight of the window; all of them while there are few. */
export function useVirtualRows<Row>(
  rows: Row[],
  body: RefObject<HTMLElement | null>,
): VirtualRows<Row> {
  const [top, setTop] = useState(0);
  const long = rows.length > wholeUpTo;

  useLayoutEffect(() => {
    if (long && body.current) {
      setTop(body.current.getBoundingClientRect().top + window.scrollY);
    }
  }, [long, body]);

  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    enabled: long,
    estimateSize: () =>
      body.current?.querySelector<HTMLElement>("tr[data-index]")?.offsetHeight || guessedHeight,
    overscan: 12,
    scrollMargin: top,
  });

  if (!long) return { visible: rows.map((row, index) => ({ row, index })), before: 0, after: 0 };

  const items = virtualizer.getVirtualItems();
  const visible = items.flatMap(({ index }) => {
    const row = rows[index];
    return row === undefined ? [] : [{ row, index }];
  });
  return {
    visible,
    before: Math.max(0, (items[0]?.start ?? top) - top),
    after: Math.max(0, virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top)),
  };
}
