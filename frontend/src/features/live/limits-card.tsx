import { Anchor, Badge, Group, Text } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "@/components/empty-state";
import { SectionCard } from "@/components/section-card";
import { LinesSkeleton } from "@/components/skeletons";
import { ListFrame } from "@/features/live/list-frame";
import type { NearLimit, Picture } from "@/features/live/picture";
import { Meter } from "@/features/policy/components/meter";
import { dimensions } from "@/features/policy/words";
import { splitLabel } from "@/lib/labels";
import { formatCompact, formatCount } from "@/lib/numbers";
import classes from "./live.module.css";

export function LimitsCard({ picture }: { picture: Picture | undefined }) {
  return (
    <SectionCard
      title="Nearest to their limits"
      description="What counts in the last 60 seconds, with what calls in flight have reserved."
      flush
    >
      <ListFrame label="Nearest to their limits">
        {picture === undefined ? (
          <LinesSkeleton />
        ) : picture.nearest.length === 0 ? (
          <EmptyState icon={IconGauge} title="No limit is in use">
            {picture.everyone
              ? "People, pools and keys with a rate limit show up here once they call."
              : "Your limits show up here once you call."}
          </EmptyState>
        ) : (
          <div className={classes.limits}>
            {picture.nearest.map((near) => (
              <Near key={`${near.kind} ${near.id}`} near={near} linked={picture.everyone} />
            ))}
          </div>
        )}
      </ListFrame>
    </SectionCard>
  );
}

const kinds = { USER: null, POOL: "Pool", KEY: "Key" };

function Near({ near, linked }: { near: NearLimit; linked: boolean }) {
  const { kind, id, uses } = near;
  const { name } = splitLabel(near.name);
  return (
    <div>
      <Group gap="xs">
        {linked && kind !== "KEY" ? (
          <Anchor
            inherit
            size="sm"
            c="inherit"
            fw={500}
            renderRoot={(props) =>
              kind === "USER" ? (
                <Link to="/admin/users/$userId" params={{ userId: id }} {...props} />
              ) : (
                <Link to="/admin/groups/$groupId" params={{ groupId: id }} {...props} />
              )
            }
          >
            {name}
          </Anchor>
        ) : (
          <Text size="sm" fw={500}>
            {linked || kind !== "USER" ? name : "You"}
          </Text>
        )}
        {kinds[kind] ? (
          <Badge size="sm" variant="default">
            {kinds[kind]}
          </Badge>
        ) : null}
      </Group>
      <div className={classes.uses}>
        {uses.map((use) => (
          <Use key={use.dimension} use={use} name={name} />
        ))}
      </div>
    </div>
  );
}

function Use({ use, name }: { use: NearLimit["uses"][number]; name: string }) {
  const { used, limit } = use;
  const words = dimensions.find(({ dimension }) => dimension === use.dimension);
  const label = words?.label ?? use.dimension;
  const text = `${formatCount(used)} of ${formatCount(limit)} ${words?.unit ?? ""}`;
  return (
    <div>
      <div className={classes.use} title={text}>
        <Text span inherit c="dimmed">
          {label}
        </Text>
        <span className="nowrap">
          {formatCompact(used)} {limit === 0 ? "blocked" : `of ${formatCompact(limit)}`}
        </span>
      </div>
      <Meter
        label={`${label} of ${name}`}
        text={text}
        used={limit === 0 ? 100 : (used / limit) * 100}
      />
    </div>
  );
}
