import { Alert, Badge, Button, Card, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconServerOff } from "@tabler/icons-react";
import { PageHeader } from "@/components/page-header";
import { CallsCard } from "@/features/live/calls-card";
import { LimitsCard } from "@/features/live/limits-card";
import type { Rate } from "@/features/live/picture";
import { RefusalsCard } from "@/features/live/refusals-card";
import { type Live, useLive } from "@/features/live/use-live";
import { formatCompact, formatCount } from "@/lib/numbers";
import classes from "./live.module.css";

/** What goes on now: everybody's calls, or one's own. */
export function LivePage({ everyone }: { everyone: boolean }) {
  const live = useLive(everyone);
  const { picture, now, paused, setPaused } = live;
  return (
    <Stack gap="lg">
      <PageHeader
        title={everyone ? "Live" : "Live calls"}
        description={
          everyone
            ? "Calls in flight, what counts for limits, and refusals, as they happen."
            : "Your calls in flight, what counts for your limits, and refusals, as they happen."
        }
        badges={<State live={live} />}
        actions={
          <Button
            variant="default"
            leftSection={
              paused ? (
                <IconPlayerPlay size={15} aria-hidden />
              ) : (
                <IconPlayerPause size={15} aria-hidden />
              )
            }
            onClick={() => setPaused(!paused)}
          >
            {paused ? "Resume" : "Pause"}
          </Button>
        }
      />
      {picture?.alone ? (
        <Alert color="yellow" icon={<IconServerOff aria-hidden />} title="One server alone">
          Redis is away, so that this server does not know what others do. It shows its own calls
          and refusals, and what counts for limits here.
        </Alert>
      ) : null}
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
        <Tile
          label="Calls in flight"
          value={picture?.inFlight}
          aside={everyone ? "of everybody" : "of yours"}
        />
        <RateTile label="Requests a minute" rate={picture?.rates.requests} />
        <RateTile label="Input tokens a minute" rate={picture?.rates.inputTokens} />
        <RateTile label="Output tokens a minute" rate={picture?.rates.outputTokens} />
      </SimpleGrid>
      <CallsCard picture={picture} now={now} />
      <div className={classes.halves}>
        <LimitsCard picture={picture} />
        <RefusalsCard picture={picture} now={now} />
      </div>
    </Stack>
  );
}

const states = {
  connecting: { label: "Connecting", color: "gray" },
  live: { label: "Live", color: "green" },
  reconnecting: { label: "Reconnecting", color: "yellow" },
  paused: { label: "Paused", color: "gray" },
  signedOut: { label: "Signed out", color: "red" },
};

/** The only thing here that is read out by itself: figures change all the time. */
function State({ live: { state } }: { live: Live }) {
  const { label, color } = states[state.kind];
  return (
    <span role="status">
      <Badge color={color}>{label}</Badge>
      {state.kind === "reconnecting" && state.message ? (
        <Text span size="xs" c="dimmed" ml="xs">
          {state.message}
        </Text>
      ) : null}
    </span>
  );
}

function RateTile({ label, rate }: { label: string; rate: Rate | undefined }) {
  return (
    <Tile
      label={label}
      value={rate?.minute}
      aside={rate ? `${formatCompact(rate.second)} in the last second` : " "}
    />
  );
}

interface TileProps {
  label: string;
  value: number | undefined;
  aside: string;
}

function Tile({ label, value, aside }: TileProps) {
  return (
    <Card padding="md" component="section" aria-label={label}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <div className={classes.figure} title={value === undefined ? undefined : formatCount(value)}>
        {value === undefined ? "–" : formatCompact(value)}
      </div>
      <Text size="xs" c="dimmed">
        {aside}
      </Text>
    </Card>
  );
}
