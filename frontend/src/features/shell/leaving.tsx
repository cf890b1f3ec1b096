import { useBlocker } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { hasUnsaved } from "@/lib/unsaved";

// Rarely needed, and none of the first page's business.
const ConfirmDialog = lazy(async () => {
  const { ConfirmDialog } = await import("@/components/confirm-dialog");
  return { default: ConfirmDialog };
});

/** Asks before a page is left on which somebody typed what nobody saved; the browser asks when it is closed. */
export function Leaving() {
  const { status, proceed, reset } = useBlocker({
    // What is in the address of a list is no page of its own.
    shouldBlockFn: ({ current, next }) => current.pathname !== next.pathname && hasUnsaved(),
    enableBeforeUnload: hasUnsaved,
    withResolver: true,
  });
  if (status !== "blocked") return null;
  return (
    <Suspense fallback={null}>
      <ConfirmDialog
        opened
        onClose={reset}
        title="Leave without saving?"
        consequence="What you changed on this page is not saved."
        confirmLabel="Leave"
        onConfirm={async () => proceed()}
      />
    </Suspense>
  );
}
