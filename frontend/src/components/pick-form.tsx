import { Box } from "@mantine/core";
import type { ReactNode } from "react";
import { FormBody } from "@/components/form-dialog";
import { messageOf } from "@/lib/errors";
import { plural } from "@/lib/numbers";

interface Props {
  /** What is picked, in the singular: "model". */
  noun: string;
  /** Names the list, for screen readers. */
  label: string;
  chosen: number;
  adding: { isPending: boolean; error: Error | null };
  add: () => Promise<void>;
  onClose: () => void;
  /** Above the list, which scrolls by itself. */
  before: ReactNode;
  height: string;
  children: ReactNode;
}

/** Adds what is ticked in a list; what goes wrong is shown below it. */
export function PickForm(props: Props) {
  const { noun, chosen, adding } = props;
  return (
    <FormBody
      onSubmit={(event) => {
        event.preventDefault();
        props.add().catch(() => undefined);
      }}
      onCancel={props.onClose}
      submitLabel={chosen === 0 ? `Add ${noun}s` : `Add ${plural(chosen, noun)}`}
      saving={adding.isPending}
      problem={adding.error ? messageOf(adding.error) : null}
      disabled={chosen === 0}
    >
      {props.before}
      <Box
        style={{ overflow: "auto", maxHeight: props.height }}
        tabIndex={0}
        role="region"
        aria-label={props.label}
      >
        {props.children}
      </Box>
    </FormBody>
  );
}
