import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

interface TableState<S extends object> {
  /** What the address says: search text, order, filters. */
  state: S;
  /** Changes some of it; what is empty or undefined leaves the address. */
  set: (patch: { [K in keyof S]?: S[K] | undefined }) => void;
  clear: () => void;
  /** Whether any of these narrows the list, which decides what an empty one says. */
  isFiltered: (...fields: (keyof S)[]) => boolean;
}

/**
 * The state of a list, held in the address: reload, the back button and a shared link show the same list.
 * `S` is what the route's `validateSearch` gives.
 */
export function useTableState<S extends object>(): TableState<S> {
  const search: object = useSearch({ strict: false });
  const state = search as S;
  const navigate = useNavigate();

  const replace = useCallback(
    (change: (before: Record<string, unknown>) => Record<string, unknown>) => {
      void navigate({
        to: ".",
        search: ((before: Record<string, unknown>) => withoutEmpty(change(before))) as never,
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );

  return {
    state,
    set: useCallback((patch) => replace((before) => ({ ...before, ...patch })), [replace]),
    clear: useCallback(() => replace(() => ({})), [replace]),
    isFiltered: (...fields) => fields.some((field) => state[field] !== undefined),
  };
}

function withoutEmpty(state: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state).filter(
      ([, value]) => value !== undefined && value !== null && value !== "",
    ),
  );
}
