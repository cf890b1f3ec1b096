import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { pointsOf } from "@/features/usage/chart-points";
import { ActivityChart, TokenChart } from "@/features/usage/charts";
import type { UsageTotals } from "@/features/usage/queries";
import { addDays } from "@/lib/dates";
import { renderComponent } from "@/test/render";
import { mockTotals } from "@/test/usage";

const [width, height] = [640, 228];

beforeEach(() => {
  // Nothing is laid out here, and a chart without a size is not drawn.
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue(
    new DOMRect(0, 0, width, height),
  );
});

const days = (first: string, totals: Partial<UsageTotals>[]) =>
  totals.map((some, n) => ({
    start: `${addDays(first, n)}T00:00:00Z`,
    totals: mockTotals(some),
  }));
const costs = (first: string, amounts: string[]) =>
  days(
    first,
    amounts.map((cost) => ({ cost })),
  );
const hours = (first: string, count: number, requests: (n: number) => number) =>
  Array.from({ length: count }, (_, n) => ({
    start: new Date(Date.parse(first) + n * 3_600_000).toISOString(),
    totals: mockTotals({ requests: requests(n) }),
  }));

const daily = { interval: "DAY", timeZone: "UTC" } as const;
const week = {
  ...daily,
  series: costs("2026-11-18", ["1", "2", "1", "0", "0", "3", "3.2"]),
  before: costs("2026-11-11", ["2", "2", "1", "0", "0", "1", "2.9"]),
};

const areas = (view: Element) => view.querySelectorAll(".recharts-area-curve");
const lines = (view: Element) => view.querySelectorAll(".recharts-line-curve");
const tip = (view: Element) => view.querySelector(".recharts-tooltip-wrapper");

function pointAt(view: Element, clientX: number) {
  const chart = view.querySelector(".recharts-wrapper");
  if (chart) fireEvent.mouseMove(chart, { clientX, clientY: height / 2 });
}

it("says of a point what stood at its place before, with the day and value of its own", async () => {
  const { container } = renderComponent(<ActivityChart activity="spend" {...week} />);
  await waitFor(() => expect(areas(container)).toHaveLength(2));
  expect(areas(container)[1]).toHaveAttribute("stroke-dasharray", "5 4");
  pointAt(container, width - 10);
  await waitFor(() =>
    expect(tip(container)).toHaveTextContent(/^Tue, Nov 24Spend\$3\.20before: Tue, Nov 17\$2\.90$/),
  );
});

it("keeps the digits of small amounts, on the axis as beside the pointer", async () => {
  const { container } = renderComponent(
    <ActivityChart
      activity="spend"
      {...daily}
      series={costs("2026-11-23", ["0.0012", "0.003"])}
      before={null}
    />,
  );
  await waitFor(() =>
    expect(container.querySelector(".recharts-yAxis-tick-labels")).toHaveTextContent("$0.003"),
  );
  pointAt(container, width - 10);
  await waitFor(() => expect(tip(container)).toHaveTextContent(/Spend\$0\.003$/));
});

it("shortens great figures on the axis, where all their digits have no room", async () => {
  const asked = { ...daily, before: null };
  const axis = (view: Element) => view.querySelector(".recharts-yAxis-tick-labels");
  const spend = renderComponent(
    <ActivityChart {...asked} activity="spend" series={costs("2026-11-23", ["1", "120000"])} />,
  ).container;
  await waitFor(() => expect(axis(spend)).toHaveTextContent(/^\$120K$/));
  pointAt(spend, width - 10);
  await waitFor(() => expect(tip(spend)).toHaveTextContent(/Spend\$120,000\.00$/));
  const calls = renderComponent(
    <ActivityChart
      {...asked}
      activity="requests"
      series={days("2026-11-23", [{ requests: 1 }, { requests: 120_000 }])}
    />,
  ).container;
  await waitFor(() => expect(axis(calls)).toHaveTextContent(/^120K$/));
});

it("leaves the time before out once its entry is switched off, and draws it again", async () => {
  const { container, user } = renderComponent(<ActivityChart activity="spend" {...week} />);
  const entry = await screen.findByRole("button", { name: "Spend before", pressed: true });
  await user.click(entry);
  expect(entry).toHaveAttribute("aria-pressed", "false");
  await waitFor(() => expect(areas(container)).toHaveLength(1));
  pointAt(container, width - 10);
  await waitFor(() => expect(tip(container)).toHaveTextContent(/^Tue, Nov 24Spend\$3\.20$/));
  await user.click(entry);
  await waitFor(() => expect(areas(container)).toHaveLength(2));
});

it("draws over stacked bars what all of them were together before", async () => {
  const series = days("2026-11-23", [
    { inputTokens: 100, cacheReadTokens: 40, outputTokens: 20 },
    { inputTokens: 300, cacheReadTokens: 100, outputTokens: 50 },
  ]);
  const before = days("2026-11-21", [
    { inputTokens: 10, cacheReadTokens: 4, outputTokens: 2 },
    { inputTokens: 200, cacheReadTokens: 150, outputTokens: 7 },
  ]);
  const { container } = renderComponent(<TokenChart {...daily} series={series} before={before} />);
  await waitFor(() => expect(lines(container)).toHaveLength(1));
  expect(lines(container)[0]).toHaveAttribute("stroke-dasharray", "5 4");
  expect(container.querySelectorAll(".recharts-bar")).toHaveLength(3);
  pointAt(container, width - 10);
  await waitFor(() => expect(tip(container)).toHaveTextContent(/before: Sun, Nov 22207$/));
  expect(tip(container)).toHaveTextContent(/Input, fresh200/);
  expect(tip(container)).toHaveTextContent(/Input, cached100/);
});

it("lets all others step back while an entry of the legend is pointed at", async () => {
  const used = { inputTokens: 100, cacheReadTokens: 40, outputTokens: 20 };
  const series = days("2026-11-23", [used, used]);
  const before = days("2026-11-21", [used, used]);
  const { container, user } = renderComponent(
    <TokenChart {...daily} series={series} before={before} />,
  );
  const opacities = () => {
    const bars = [...container.querySelectorAll(".recharts-bar")].map((bar) =>
      bar.querySelector(".recharts-bar-rectangle path"),
    );
    return [...bars, ...lines(container)].map((drawn) => drawn?.getAttribute("opacity"));
  };
  await waitFor(() => expect(opacities()).toEqual(["1", "1", "1", "1"]));
  await user.hover(screen.getByText("Input, cached"));
  await waitFor(() => expect(opacities()).toEqual(["0.25", "1", "0.25", "0.25"]));
  await user.hover(screen.getByRole("button", { name: "Tokens before" }));
  await waitFor(() => expect(opacities()).toEqual(["0.25", "0.25", "0.25", "1"]));
  await user.unhover(screen.getByRole("button", { name: "Tokens before" }));
  await waitFor(() => expect(opacities()).toEqual(["1", "1", "1", "1"]));
});

it("does not press the series flat under a much greater time before unless asked", async () => {
  const before = costs("2026-11-11", ["0", "0", "0", "900", "0", "0", "0"]);
  const { container, user } = renderComponent(
    <ActivityChart activity="spend" {...week} before={before} />,
  );
  const entry = await screen.findByRole("button", { name: "Spend before", pressed: false });
  await waitFor(() => expect(areas(container)).toHaveLength(1));
  await user.click(entry);
  await waitFor(() => expect(areas(container)).toHaveLength(2));
});

it("offers no comparison where the time before is not kept by the hour any more", async () => {
  const { container } = renderComponent(
    <ActivityChart
      activity="requests"
      series={hours("2026-11-24T00:00:00Z", 24, (n) => n)}
      before={null}
      interval="HOUR"
      timeZone="UTC"
    />,
  );
  expect(await screen.findByText("Answered")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: /before/ })).not.toBeInTheDocument();
  expect(lines(container)).toHaveLength(0);
});

it("lays hours under hours by their place, also where one day has more of them", () => {
  const asked = { interval: "HOUR", timeZone: "Europe/Berlin" } as const;
  // The clocks go back on the 25th, which has 25 hours.
  const shorter = hours("2026-10-25T23:00:00Z", 24, (n) => n);
  const longer = hours("2026-10-24T22:00:00Z", 25, (n) => 100 + n);
  const figures = ({ requests }: UsageTotals) => ({ Answered: requests });

  const after = pointsOf({ ...asked, series: shorter, before: longer }, figures);
  expect(after).toHaveLength(25);
  expect(after[0]).toEqual({
    point: "Oct 26, 00:00",
    at: "Mon, Oct 26, 00:00",
    Answered: 0,
    sum: 0,
    before: 100,
    beforeAt: "Sun, Oct 25, 00:00",
  });
  expect(after[23]).toMatchObject({ Answered: 23, before: 123, beforeAt: "Sun, Oct 25, 22:00" });
  expect(after[24]).toEqual({ point: "", before: 124, beforeAt: "Sun, Oct 25, 23:00" });

  const on = pointsOf({ ...asked, series: longer, before: shorter }, figures);
  expect(on).toHaveLength(25);
  expect(on.slice(2, 4)).toMatchObject([
    { point: "Oct 25, 02:00 GMT+2", at: "Sun, Oct 25, 02:00 GMT+2" },
    { point: "Oct 25, 02:00 GMT+1", at: "Sun, Oct 25, 02:00 GMT+1" },
  ]);
  expect(after[3]).toMatchObject({ beforeAt: "Sun, Oct 25, 02:00 GMT+1" });
  expect(on[24]).toEqual({
    point: "Oct 25, 23:00",
    at: "Sun, Oct 25, 23:00",
    Answered: 124,
    sum: 124,
  });
});
