import { Badge, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Loaded } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { Forecast } from "@/features/policy/components/forecast";
import { Meter } from "@/features/policy/components/meter";
import { dimensions, windows } from "@/features/policy/words";
import { type Allowance, allowanceQuery } from "@/features/usage/allowance";
import { formatUsd, parseUsd, percentOf, toUsd } from "@/lib/currency";
import { formatCount } from "@/lib/numbers";
import classes from "./usage.module.css";

interface Props {
  userId: string;
}

/** What a person may still use, by the limits and caps that hold for them. */
export function AllowanceCard({ userId }: Props) {
  const query = useQuery(allowanceQuery(userId));
  return (
    <SectionCard title="What is left" description="The limits and budgets that hold for you now.">
      <Loaded query={query} skeleton={blank}>
        {(allowance) => <Allowed allowance={allowance} />}
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

function Allowed({ allowance: { budgets, limits, pools } }: { allowance: Allowance }) {
  const capped = budgets.filter(({ cap }) => cap !== null);
  const limited = limits.filter(({ limit }) => limit !== null);
  const shared = pools.flatMap((pool) => [
    ...pool.budgets
      .filter(({ cap }) => cap !== null)
      .map((budget) => ({ key: `${pool.source.id} ${budget.window}`, pool, budget, limit: null })),
    ...pool.limits
      .filter(({ limit }) => limit !== null)
      .map((limit) => ({ key: `${pool.source.id} ${limit.dimension}`, pool, budget: null, limit })),
  ]);
  const free = [
    ...budgets.filter(({ cap }) => cap === null).map(({ window }) => wordsOfWindow(window).label),
    ...limits.filter(({ limit }) => limit === null).map(({ dimension }) => labelOf(dimension)),
  ];
  const nothing = capped.length + limited.length + shared.length === 0;
  return (
    <Stack gap="md">
      {nothing ? (
        <Text size="sm">Nothing limits your calls, except which models you were granted.</Text>
      ) : (
        <div className={classes.allowance}>
          {capped.map((budget) => (
            <BudgetLeft key={budget.window} budget={budget} setBy={setBy(budget.source)} />
          ))}
          {limited.map((limit) => (
            <LimitLeft key={limit.dimension} limit={limit} setBy={setBy(limit.source)} />
          ))}
          {shared.map(({ key, pool, budget, limit }) =>
            budget ? (
              <BudgetLeft key={key} budget={budget} setBy={sharedBy(pool)} />
            ) : (
              <LimitLeft key={key} limit={limit} setBy={sharedBy(pool)} />
            ),
          )}
        </div>
      )}
      {free.length === 0 || nothing ? null : (
        <Text size="xs" c="dimmed">
          No limit of your own: {free.map((label) => label.toLowerCase()).join(", ")}.
        </Text>
      )}
    </Stack>
  );
}

type Source = Allowance["limits"][number]["source"];

const setBy = (source: Source): string =>
  source === null ? "" : `Set ${source.kind === "GROUP" ? `by group ${source.name}` : "for you"}`;

const sharedBy = ({ source }: Allowance["pools"][number]): string =>
  `Shared by all members of ${source.name}`;

interface BudgetProps {
  budget: Omit<Allowance["budgets"][number], "source">;
  setBy: string;
}

function BudgetLeft({ budget, setBy }: BudgetProps) {
  const { cap, spent, reserved, resetsAt, reachedAt } = budget;
  const limit = parseUsd(cap ?? "0") ?? 0n;
  const used = parseUsd(spent) ?? 0n;
  const held = parseUsd(reserved) ?? 0n;
  const left = limit - used - held;
  const { label, span } = wordsOfWindow(budget.window);
  return (
    <Line
      label={label}
      figure={
        limit === 0n ? (
          <Badge color="red">Blocked</Badge>
        ) : (
          `${formatUsd(toUsd(left > 0n ? left : 0n))} left`
        )
      }
      setBy={setBy}
      below={
        <>
          {formatUsd(spent)} of {formatUsd(cap ?? "0")} {span}
          {held > 0n ? `, ${formatUsd(reserved)} reserved` : ""} · resets <When at={resetsAt} />
          {limit === 0n ? null : (
            <Forecast spent={spent} cap={cap ?? "0"} reachedAt={reachedAt ?? null} />
          )}
        </>
      }
      meter={
        <Meter
          label={`${label} in use`}
          text={`${formatUsd(spent)} of ${formatUsd(cap ?? "0")}`}
          used={percentOf(used, limit)}
          held={limit === 0n ? 0 : percentOf(held, limit)}
        />
      }
    />
  );
}

interface LimitProps {
  limit: Omit<Allowance["limits"][number], "source">;
  setBy: string;
}

function LimitLeft({ limit, setBy }: LimitProps) {
  const most = limit.limit ?? 0;
  const label = labelOf(limit.dimension);
  const unit = dimensions.find(({ dimension }) => dimension === limit.dimension)?.unit ?? "in use";
  return (
    <Line
      label={label}
      figure={
        most === 0 ? (
          <Badge color="red">Blocked</Badge>
        ) : (
          `${formatCount(Math.max(0, most - limit.used))} left`
        )
      }
      setBy={setBy}
      below={`${formatCount(limit.used)} of ${formatCount(most)} ${unit}`}
      meter={
        <Meter
          label={`${label} in use`}
          text={`${formatCount(limit.used)} of ${formatCount(most)}`}
          used={most === 0 ? 100 : (limit.used / most) * 100}
        />
      }
    />
  );
}

interface LineProps {
  label: string;
  figure: ReactNode;
  meter: ReactNode;
  below: ReactNode;
  setBy: string;
}

function Line({ label, figure, meter, below, setBy }: LineProps) {
  return (
    <Stack gap={5}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm">{label}</Text>
        <Text size="sm" fw={600} component="div" className="numeric">
          {figure}
        </Text>
      </Group>
      {meter}
      <Text size="xs" c="dimmed" component="div">
        {below}
      </Text>
      {setBy ? (
        <Text size="xs" c="dimmed">
          {setBy}
        </Text>
      ) : null}
    </Stack>
  );
}

const labelOf = (dimension: Allowance["limits"][number]["dimension"]): string =>
  dimensions.find((one) => one.dimension === dimension)?.label ?? dimension;

const wordsOfWindow = (window: Allowance["budgets"][number]["window"]) =>
  windows.find((one) => one.window === window) ?? { label: window, span: "" };
