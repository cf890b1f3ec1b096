import { Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Loaded } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { allowanceQuery } from "@/features/usage/allowance";
import classes from "./usage.module.css";

// It waits for figures anyhow, so its code comes beside them and not before the page.
const Allowed = lazy(() => import("@/features/usage/allowed"));

interface Props {
  userId: string;
}

/** What a person may still use, by the limits and caps that hold for them. */
export function AllowanceCard({ userId }: Props) {
  const query = useQuery(allowanceQuery(userId));
  return (
    <SectionCard title="What is left" description="The limits and budgets that hold for you now.">
      <Loaded query={query} skeleton={blank}>
        {(allowance) => (
          <Suspense fallback={blank}>
            <Allowed allowance={allowance} />
          </Suspense>
        )}
      </Loaded>
    </SectionCard>
  );
}

const blank = (
  <div className={classes.allowance} role="status" aria-label="Loading">
    {[0, 1, 2, 3, 4, 5].map((line) => (
      <Stack key={line} gap={9} h={74} pt={4}>
        <Skeleton height={12} width="60%" />
        <Skeleton height={6} />
        <Skeleton height={10} width="80%" />
      </Stack>
    ))}
  </div>
);
