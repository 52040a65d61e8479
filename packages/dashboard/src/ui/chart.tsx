import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import { useColorScheme } from './color-scheme.ts';
import 'uplot/dist/uPlot.min.css';
import './chart.css';

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A colour token of the page, such as `--accent`. */
  readonly color: string;
  readonly look?: 'line' | 'area' | 'bars';
}

type SeriesLook = Omit<ChartSeries, 'values'>;

interface Frame {
  /** What the series look like, as JSON: a chart is made anew where it changes, and told of values where it does not. */
  readonly looks: string;
  readonly heightPx: number;
  readonly write: (value: number) => string;
  readonly isUtc: boolean;
  /** From one value to the next; the axis names nothing in between. */
  readonly stepSeconds: number;
}

/**
 * Values over time (`at`: epoch ms, ascending). What it shows stands in `label` too, for those who do not see it. Give it a
 * `write` that stays the same function: new values are drawn into the chart that is there, a new function makes another.
 * `isUtc`: the times are days or hours of UTC and are written as such.
 */
export function Chart(props: {
  readonly label: string;
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly heightPx?: number;
  readonly write?: (value: number) => string;
  readonly isUtc?: boolean;
}) {
  const { label, at, series, heightPx = 160, write = String, isUtc = false } = props;
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const scheme = useColorScheme();
  const looks = JSON.stringify(series.map(({ values: _, ...look }) => look));
  const data = useMemo<uPlot.AlignedData>(() => [at.map((one) => one / 1_000), ...series.map(drawn)], [at, series]);
  const stepSeconds = at[0] !== undefined && at[1] !== undefined ? (at[1] - at[0]) / 1_000 : 0;
  const latest = useRef(data);
  useEffect(() => {
    latest.current = data;
    chart.current?.setData(data);
  }, [data]);
  // Drawn anew where the theme changes: a canvas keeps the colours it was drawn with.
  useEffect(() => {
    const element = frame.current;
    if (!element || scheme === undefined) return;
    const made = new uPlot(
      optionsFor(element, { looks, heightPx, write, isUtc, stepSeconds }),
      latest.current,
      element,
    );
    chart.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPx }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [looks, heightPx, write, isUtc, stepSeconds, scheme]);
  return (
    <div
      className="chart"
      ref={frame}
      role="img"
      aria-label={label}
      style={{ minHeight: series.length > 1 ? heightPx + LEGEND_PX : heightPx }}
    />
  );
}

/** A bar of nothing is no bar, and not a line along the axis. */
function drawn({ values, look }: ChartSeries): (number | null)[] {
  return values.map((value) => (look === 'bars' && value === 0 ? null : value));
}

const DAY_SECONDS = 86_400;
/** What may lie between two names on the axis of time. */
const TIME_STEPS = [1, 5, 15, 30, 60, 180, 360, 720].map((minutes) => minutes * 60);
const DAY_STEPS = [1, 2, 7, 14, 28, 91, 182, 364].map((days) => days * DAY_SECONDS);
/** Kept free from the start, so that nothing moves when it appears. */
const LEGEND_PX = 22;

function optionsFor(
  element: HTMLElement,
  { looks, heightPx: height, write, isUtc, stepSeconds }: Frame,
): uPlot.Options {
  const series = JSON.parse(looks) as readonly SeriesLook[];
  const muted = colorOf(element, '--muted');
  const axis = { stroke: muted, grid: { stroke: colorOf(element, '--line'), width: 1 }, ticks: { show: false } };
  const hasBars = series.some(({ look }) => look === 'bars');
  const incrs = [...TIME_STEPS, ...DAY_STEPS].filter((one) => one >= stepSeconds);
  const dated = (seconds: number, everySeconds: number) => timeText(seconds, everySeconds, isUtc);
  return {
    ...{ width: element.clientWidth, height, legend: { show: series.length > 1 } },
    ...(isUtc && { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC') }),
    padding: [10, 8, 0, 0],
    cursor: { drag: { x: false, y: false } },
    axes: [
      {
        ...axis,
        size: 28,
        incrs,
        values: (_chart, splits, _axis, _space, every) => splits.map((one) => dated(one, every)),
      },
      { ...axis, size: widthOf, space: 24, values: (_chart, values) => values.map((value) => write(value)) },
    ],
    scales: {
      x: { range: (chart, low, high) => timeRange(chart, low, high, hasBars) },
      y: { range: (_chart, _low, high) => [0, Number.isFinite(high) && high > 0 ? high * 1.1 : 1] },
    },
    series: [
      {
        label: isUtc ? 'time (UTC)' : 'time',
        value: (_chart, at: number | null) => (at === null ? '–' : dated(at, stepSeconds)),
      },
      ...series.map(({ label, color, look = 'line' }) => {
        const stroke = colorOf(element, color);
        return {
          ...{ label, stroke, width: 1.5, points: { show: look === 'line', size: 4, fill: stroke } },
          ...(look !== 'line' && { fill: stroke.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.2)') }),
          ...(look === 'bars' && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
          value: (_chart: uPlot, value: number | null) => (value === null ? '–' : write(value)),
        };
      }),
    ],
  };
}

/** As much as the longest text beside the axis needs, in pixels. */
function widthOf(_chart: uPlot, texts: readonly string[] | null): number {
  return 14 + 7 * Math.max(4, ...(texts ?? []).map((text) => text.length));
}

/** Room for the halves of the first and the last bar, and for one value alone. */
function timeRange({ data: [at] }: uPlot, low: number, high: number, hasBars: boolean): [number, number] {
  const half = at.length > 1 ? (high - low) / (at.length - 1) / 2 : DAY_SECONDS / 2;
  return hasBars || at.length < 2 ? [low - half, high + half] : [low, high];
}

/** The day where a step is a day or more, else the time, with its day at midnight and in the legend. */
function timeText(seconds: number, everySeconds: number, isUtc: boolean): string {
  const date = new Date(seconds * 1_000);
  const zone = isUtc ? { timeZone: 'UTC' } : {};
  const day = date.toLocaleDateString('en-GB', { ...zone, day: 'numeric', month: 'short' });
  if (everySeconds >= DAY_SECONDS) return day;
  const time = date.toLocaleTimeString('en-GB', { ...zone, hour: '2-digit', minute: '2-digit' });
  return time === '00:00' ? day : time;
}

/** A canvas knows no custom properties, and what one says of a light and a dark theme resolves only where it is used. */
function colorOf(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
