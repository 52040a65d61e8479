import { memo, useMemo } from 'react';
import type { Minute } from '../../api/now.ts';
import { Chart, type ChartSeries } from '../../ui/chart.tsx';
import { count, duration } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { hourText } from './standing.ts';

const HEIGHT_PX = 130;

/** A count has no halves. */
const whole = (value: number) => (Number.isInteger(value) ? count(value) : '');

/** The last hour, by the minute; new values are drawn into the charts that are there. */
export const HourCharts = memo(function HourCharts({ series }: { readonly series: readonly Minute[] }) {
  const at = useMemo(() => series.map((minute) => minute.at), [series]);
  const requests = useMemo<readonly ChartSeries[]>(
    () => [
      { label: 'ended', values: series.map(({ ended }) => ended), color: '--accent', look: 'area' },
      { label: 'failed', values: series.map(({ failed }) => failed), color: '--bad', look: 'area' },
    ],
    [series],
  );
  const latency = useMemo<readonly ChartSeries[]>(
    () => [
      { label: 'p50', values: series.map((minute) => minute.p50_ms), color: '--accent' },
      { label: 'p95', values: series.map((minute) => minute.p95_ms), color: '--warn' },
    ],
    [series],
  );
  const images = useMemo<readonly ChartSeries[]>(
    () => [{ label: 'images', values: series.map((minute) => minute.images), color: '--good', look: 'bars' }],
    [series],
  );
  const words = hourText(series);
  return (
    <section className="now-charts" aria-label="The last hour">
      <Card title="Requests a minute">
        <Chart label={words.requests} at={at} series={requests} heightPx={HEIGHT_PX} write={whole} />
      </Card>
      <Card title="Time to a picture">
        <Chart label={words.latency} at={at} series={latency} heightPx={HEIGHT_PX} write={duration} />
      </Card>
      <Card title="Images a minute">
        <Chart label={words.images} at={at} series={images} heightPx={HEIGHT_PX} write={whole} />
      </Card>
    </section>
  );
});
