import { Anchor, Group } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { Candidates, type CandidateValue } from "@/features/policy/components/candidates";
import { RunningOverride } from "@/features/policy/components/running-override";
import { SetBy } from "@/features/policy/components/source";
import { labelOf, type OverrideTarget } from "@/features/policy/override-form";
import type { Override, PolicySource } from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";

const OverrideDialog = lazy(() => import("@/features/policy/components/override-dialog"));

interface Props {
  source: PolicySource | null;
  override: Override | null;
  candidates: CandidateValue[];
  subject: Subject | undefined;
  target: OverrideTarget;
}

/** Where a value comes from: who set it, what else competes, and what stands in for all of that for a while. */
export function Provenance({ source, override, candidates, subject, target }: Props) {
  const [changing, setChanging] = useState(false);
  // Once asked for, it stays, so that it can fade away.
  const [asked, setAsked] = useState(false);
  return (
    <>
      {override ? <RunningOverride override={override} /> : null}
      <Group justify="space-between" gap="xs" align="baseline">
        {override || source === null ? <span /> : <SetBy source={source} />}
        <Group gap="sm">
          <Candidates candidates={candidates} outranked={override !== null} />
          {subject === undefined || override ? null : (
            <Anchor
              component="button"
              type="button"
              size="xs"
              onClick={() => {
                setAsked(true);
                setChanging(true);
              }}
              aria-label={`Change for a while: ${labelOf(target).toLowerCase()}`}
            >
              Change for a while
            </Anchor>
          )}
        </Group>
      </Group>
      {subject === undefined || !asked ? null : (
        <Suspense>
          <OverrideDialog
            subject={subject}
            target={target}
            opened={changing}
            onClose={() => setChanging(false)}
          />
        </Suspense>
      )}
    </>
  );
}
