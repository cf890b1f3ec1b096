import { useBlocker } from "@tanstack/react-router";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { hasUnsaved } from "@/lib/unsaved";

/** Asks before a page is left on which somebody typed what nobody saved; the browser asks when it is closed. */
export default function Leaving() {
  const { status, proceed, reset } = useBlocker({
    // What is in the address of a list is no page of its own.
    shouldBlockFn: ({ current, next }) => current.pathname !== next.pathname && hasUnsaved(),
    enableBeforeUnload: hasUnsaved,
    withResolver: true,
  });
  if (status !== "blocked") return null;
  return (
    <ConfirmDialog
      opened
      onClose={reset}
      title="Leave without saving?"
      consequence="What you changed on this page is not saved."
      confirmLabel="Leave"
      onConfirm={async () => proceed()}
    />
  );
}
