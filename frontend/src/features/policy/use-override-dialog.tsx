import { lazy, type ReactNode, Suspense, useState } from "react";
import type { OverrideTarget } from "@/features/policy/override-form";
import type { Subject } from "@/features/policy/subject";

const OverrideDialog = lazy(() => import("@/features/policy/components/override-dialog"));

interface Change {
  /** Asks for another value for a while; absent where only lasting values are set. */
  onChange?: (target: OverrideTarget) => void;
  /** Belongs beside a card's form: one form can't stand within another. */
  dialog: ReactNode;
}

/** The way to give one limit or cap of a user another value for a while. */
export function useOverrideDialog(subject: Subject): Change {
  const [opened, setOpened] = useState(false);
  // Once asked for, it stays, so that it can fade away.
  const [target, setTarget] = useState<OverrideTarget | null>(null);
  if (subject.kind !== "user") return { dialog: null };
  return {
    onChange: (wanted) => {
      setTarget(wanted);
      setOpened(true);
    },
    dialog:
      target === null ? null : (
        <Suspense>
          <OverrideDialog
            subject={subject}
            target={target}
            opened={opened}
            onClose={() => setOpened(false)}
          />
        </Suspense>
      ),
  };
}
