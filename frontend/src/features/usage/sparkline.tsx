interface Props {
  values: number[];
}

const width = 84;
const height = 28;
const inset = 2;

/** The shape of a series without figures; what it shows is said by the number beside it. */
export function Sparkline({ values }: Props) {
  const most = Math.max(...values, 0);
  if (values.length < 2 || most === 0)
    return <svg width={width} height={height} style={{ maxWidth: "100%" }} aria-hidden="true" />;
  const points = values.map((value, index) => {
    const x = inset + (index / (values.length - 1)) * (width - 2 * inset);
    const y = height - inset - (value / most) * (height - 2 * inset);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const floor = height - inset;
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      style={{ maxWidth: "100%" }}
      aria-hidden="true"
    >
      <polygon
        points={`${inset},${floor} ${points.join(" ")} ${width - inset},${floor}`}
        fill="var(--mantine-color-tide-5)"
        opacity={0.14}
      />
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke="var(--mantine-color-tide-5)"
        strokeWidth={1.5}
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
