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
}

/** How much of a limit is taken: calm, then amber from 80 per cent, then red when it is full. */
export function Meter({ label, text, used, held = 0 }: Props) {
  const shown = clamp(used);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <meter> has one bar, this has what is used and what is held
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(clamp(used + held))}
      aria-valuetext={text}
      className={classes.track}
    >
      <div
        className={classes.used}
        data-level={levelOf(used + held)}
        style={{ width: `${shown}%` }}
      />
      <div
        className={classes.held}
        data-level={levelOf(used + held)}
        style={{ width: `${clamp(held, 100 - shown)}%` }}
      />
    </div>
  );
}

const clamp = (value: number, most = 100): number => Math.min(Math.max(value, 0), most);

function levelOf(percent: number): "calm" | "near" | "full" {
  if (percent >= 100) return "full";
  return percent >= 80 ? "near" : "calm";
}
