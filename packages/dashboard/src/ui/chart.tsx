import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useColorScheme } from './color-scheme.ts';
import 'uplot/dist/uPlot.min.css';

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A colour token of the page, such as `--accent`. */
  readonly color: string;
  readonly look?: 'line' | 'area' | 'bars';
}

/** Values over time (`at`: epoch ms, ascending). What it shows stands in `label` too, for those who do not see it. */
export function Chart(props: {
  readonly label: string;
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly heightPx?: number;
  readonly write?: (value: number) => string;
}) {
  const { label, at, series, heightPx = 160, write = String } = props;
  const frame = useRef<HTMLDivElement>(null);
  const scheme = useColorScheme();
  // Drawn anew where the theme changes: a canvas keeps the colours it was drawn with.
  useEffect(() => {
    const element = frame.current;
    if (!element || scheme === undefined) return;
    const data: uPlot.AlignedData = [at.map((one) => one / 1_000), ...series.map(({ values }) => [...values])];
    const chart = new uPlot(optionsFor(element, series, heightPx, write), data, element);
    const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: heightPx }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
  }, [at, series, heightPx, write, scheme]);
  return <div className="chart" ref={frame} role="img" aria-label={label} style={{ minHeight: heightPx }} />;
}

function optionsFor(
  element: HTMLElement,
  series: readonly ChartSeries[],
  height: number,
  write: (value: number) => string,
): uPlot.Options {
  const muted = colorOf(element, '--muted');
  const axis = { stroke: muted, grid: { stroke: colorOf(element, '--line'), width: 1 }, ticks: { show: false } };
  return {
    ...{ width: element.clientWidth, height, legend: { show: series.length > 1 } },
    cursor: { drag: { x: false, y: false } },
    axes: [axis, { ...axis, size: 56, values: (_chart, values) => values.map((value) => write(value)) }],
    scales: { y: { range: (_chart, _low, high) => [0, Number.isFinite(high) && high > 0 ? high * 1.1 : 1] } },
    series: [
      {},
      ...series.map(({ label, color, look = 'line' }) => {
        const stroke = colorOf(element, color);
        return {
          ...{ label, stroke, width: 1.5, points: { show: false } },
          ...(look !== 'line' && { fill: stroke.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.2)') }),
          ...(look === 'bars' && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
          value: (_chart: uPlot, value: number | null) => (value === null ? '–' : write(value)),
        };
      }),
    ],
  };
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
