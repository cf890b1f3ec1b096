import classes from "./meter.module.css";

interface Props {
  /** What is measured, for screen readers. */
  label: string;
  /** The same as people read it, such as "$12.40 of $25.00". */
  text: string;
  /** Per cent of the limit; what is beyond 100 is cut off. */
  used: number;
  /** Per cent that calls in flight hold on top. */
  held?: number;
  /** Per cent at which an alert is due, ascending. */
  alertsAt?: number[] | undefined;
}

const list = new Intl.ListFormat("en");

/** How much of a limit is taken: calm, then amber from 80 per cent, then red when it is full. */
export function Meter({ label, text, used, held = 0, alertsAt = [] }: Props) {
  const shown = clamp(used);
  const level = levelOf(used + held);
  const alerts = `Alerts at ${list.format(alertsAt.map((percent) => `${percent} %`))}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <meter> has one bar, this has what is used and what is held
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(clamp(used + held))}
      aria-valuetext={alertsAt.length === 0 ? text : `${text}. ${alerts}`}
      title={alertsAt.length === 0 ? undefined : alerts}
      className={classes.meter}
    >
      <div className={classes.track}>
        <div className={classes.used} data-level={level} style={{ width: `${shown}%` }} />
        <div
          className={classes.held}
          data-level={level}
          style={{ width: `${clamp(held, 100 - shown)}%` }}
        />
      </div>
      {alertsAt.map((percent) => (
        <span
          key={percent}
          className={classes.mark}
          data-passed={used >= percent || undefined}
          style={{ left: `${clamp(percent)}%` }}
        />
      ))}
    </div>
  );
}

const clamp = (value: number, most = 100): number => Math.min(Math.max(value, 0), most);

function levelOf(percent: number): "calm" | "near" | "full" {
  if (percent >= 100) return "full";
  return percent >= 80 ? "near" : "calm";
}
