import { Badge, Group, Stack, Text } from "@mantine/core";
import { Fragment, type ReactNode } from "react";
import { When } from "@/components/when";
import { Forecast } from "@/features/policy/components/forecast";
import { Meter } from "@/features/policy/components/meter";
import { TemporaryBadge } from "@/features/policy/components/temporary-badge";
import { dimensions, windows } from "@/features/policy/words";
import type { Allowance } from "@/features/usage/allowance";
import { formatUsd, parseUsd, percentOf, toUsd } from "@/lib/currency";
import { formatCount } from "@/lib/numbers";
import classes from "./usage.module.css";

/** What is left of each limit and cap that holds, own and shared ones. */
export default function Allowed({
  allowance: { budgets, limits, pools },
}: {
  allowance: Allowance;
}) {
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
    ...budgets
      .filter(({ cap }) => cap === null)
      .map(({ window, override }) => ({ label: wordsOfWindow(window).label, override })),
    ...limits
      .filter(({ limit }) => limit === null)
      .map(({ dimension, override }) => ({ label: labelOf(dimension), override })),
  ];
  const nothing = capped.length + limited.length + shared.length === 0;
  return (
    <Stack gap="md">
      {nothing ? (
        <Text size="sm">Nothing limits your calls, except which models you were granted.</Text>
      ) : (
        <div className={classes.allowance}>
          {capped.map((budget) => (
            <BudgetLeft key={budget.window} budget={budget} setBy={setBy(budget)} />
          ))}
          {limited.map((limit) => (
            <LimitLeft key={limit.dimension} limit={limit} setBy={setBy(limit)} />
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
          No limit of your own:{" "}
          {free.map(({ label, override }, position) => (
            <Fragment key={label}>
              {position === 0 ? "" : ", "}
              {label.toLowerCase()}
              {override ? (
                <>
                  {" "}
                  (temporarily, ends <When at={override.endsAt} />)
                </>
              ) : null}
            </Fragment>
          ))}
          .
        </Text>
      )}
    </Stack>
  );
}

type InForce = Pick<Allowance["limits"][number], "source" | "override">;

function setBy({ source, override }: InForce): ReactNode {
  if (override) return <TemporaryBadge endsAt={override.endsAt} title={override.reason} />;
  if (source === null) return null;
  return `Set ${source.kind === "GROUP" ? `by group ${source.name}` : "for you"}`;
}

const sharedBy = ({ source }: Allowance["pools"][number]): string =>
  `Shared by all members of ${source.name}`;

interface BudgetProps {
  budget: Omit<Allowance["budgets"][number], "source" | "override">;
  setBy: ReactNode;
}

function BudgetLeft({ budget, setBy }: BudgetProps) {
  const { cap, spent, reserved, resetsAt, reachedAt, alertThresholds } = budget;
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
          alertsAt={alertThresholds}
        />
      }
    />
  );
}

interface LimitProps {
  limit: Omit<Allowance["limits"][number], "source" | "override">;
  setBy: ReactNode;
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
  setBy: ReactNode;
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
        <Text size="xs" c="dimmed" component="div">
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
