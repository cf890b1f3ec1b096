import { Badge, Text } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { EmptyState } from "@/components/empty-state";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import { LinesSkeleton } from "@/components/skeletons";
import type { Column } from "@/components/table-parts";
import { ListFrame } from "@/features/live/list-frame";
import { formatAge, type Picture, type RefusedCall } from "@/features/live/picture";
import { Person } from "@/features/usage/person";
import { formatExact } from "@/lib/dates";
import { formatCount } from "@/lib/numbers";
import { codeLabel } from "@/lib/refusals";
import classes from "./live.module.css";

interface Props {
  picture: Picture | undefined;
  now: number;
}

type Row = RefusedCall & { id: string };

export function RefusalsCard({ picture, now }: Props) {
  const minute = picture?.rates.refusals?.minute;
  return (
    <SectionCard
      title="Refused a moment ago"
      mark={
        minute === undefined ? null : (
          <Badge variant="light" color={minute > 0 ? "red" : "gray"}>
            {formatCount(minute)} in the last minute
          </Badge>
        )
      }
      description="Since the server started, the latest first; the same refusal again only counts up."
      flush
    >
      <ListFrame label="Refused calls">
        {picture === undefined ? (
          <LinesSkeleton />
        ) : picture.refused.length === 0 ? (
          <EmptyState icon={IconShieldCheck} title="No call was refused">
            Whoever meets a limit, a budget or a missing grant shows up here, with the reason.
          </EmptyState>
        ) : (
          <RowsTable
            label="Refused calls"
            columns={columnsFor(picture.everyone, now)}
            rows={picture.refused.map(rowOf)}
          />
        )}
      </ListFrame>
    </SectionCard>
  );
}

const rowOf = (refused: RefusedCall): Row => ({
  ...refused,
  id: [refused.keyId, refused.model, refused.code].join(" "),
});

/** Most messages say it themselves. */
const waitOf = (message: string, retryAfter: number | null): string | null =>
  retryAfter === null || /again/i.test(message) ? null : `Free again after ${retryAfter} s.`;

function columnsFor(everyone: boolean, now: number): Column<Row>[] {
  return [
    {
      id: "why",
      header: everyone ? "Who and why" : "Why",
      cell: ({ user, userId, key, model, code, message, retryAfter }) => (
        <>
          {everyone ? (
            user !== null && userId !== null ? (
              <Person label={user} id={userId} />
            ) : (
              "Somebody without a known key"
            )
          ) : null}
          <Text size="sm">
            <strong>{codeLabel(code)}</strong>
            {model === null ? null : (
              <>
                {" · "}
                <span className="mono">{model}</span>
              </>
            )}
          </Text>
          <Text size="xs" c="dimmed" className={classes.message}>
            {[key, message, waitOf(message, retryAfter)].filter(Boolean).join(" · ")}
          </Text>
        </>
      ),
    },
    {
      id: "count",
      header: "Times",
      numeric: true,
      cell: ({ count }) => formatCount(count),
      from: "sm",
    },
    {
      id: "at",
      header: "Ago",
      numeric: true,
      width: 96,
      cell: ({ at }) => (
        <time dateTime={at} title={formatExact(at)}>
          {formatAge(now - Date.parse(at))}
        </time>
      ),
    },
  ];
}
