/** A metric as prom-client's registry tells it by `getMetricsAsJSON()`; only what is read of it. */
export interface RegistryMetric {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly values: readonly RegistryValue[];
}

export interface RegistryValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, unknown>>;
  /** Of a histogram: the name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string | undefined;
}

type Labels = Readonly<Record<string, string>>;

/** A metric with all its series. Counted from `sinceMs`, read at `atMs`, epoch ms. */
export interface MeasuredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly sinceMs: number;
  readonly atMs: number;
  /** Of counters and gauges. */
  readonly points: readonly { readonly labels: Labels; readonly value: number }[];
  readonly histograms: readonly MeasuredHistogram[];
}

export interface MeasuredHistogram {
  readonly labels: Labels;
  /** Each count is of its own bucket alone; there is one more than there are boundaries. */
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] };
  readonly sum: number;
  readonly count: number;
}

/** What a registry holds, in the terms of OpenTelemetry; summaries are left out, because its SDK writes none. */
export function measuredOf(
  metrics: readonly RegistryMetric[],
  times: { readonly sinceMs: number; readonly atMs: number },
): readonly MeasuredMetric[] {
  return metrics.flatMap(({ name, help, type, values }): readonly MeasuredMetric[] => {
    const common = { name, help, ...times };
    const finite = values.filter(({ value }) => Number.isFinite(value));
    if (type === 'histogram') return [{ ...common, type, points: [], histograms: histogramsOf(name, finite) }];
    if (type !== 'counter' && type !== 'gauge') return [];
    const points = finite.map(({ labels, value }) => ({ labels: labelsOf(labels), value }));
    return [{ ...common, type, points, histograms: [] }];
  });
}

function histogramsOf(name: string, values: readonly RegistryValue[]): readonly MeasuredHistogram[] {
  const series = Map.groupBy(values, ({ labels: { le: _, ...labels } }) => JSON.stringify(labelsOf(labels)));
  return [...series].map(([labels, own]) => {
    const told = (suffix: string) => own.find(({ metricName }) => metricName === `${name}_${suffix}`)?.value ?? 0;
    const upTo = own
      .filter(({ metricName }) => metricName === `${name}_bucket`)
      .map(({ labels: { le }, value }) => ({ boundary: Number(le), value }))
      .filter(({ boundary }) => Number.isFinite(boundary))
      .toSorted((a, b) => a.boundary - b.boundary);
    const count = told('count');
    const sums = [0, ...upTo.map(({ value }) => value), count];
    return {
      labels: JSON.parse(labels),
      buckets: {
        boundaries: upTo.map(({ boundary }) => boundary),
        counts: sums.slice(1).map((value, index) => Math.max(0, value - (sums[index] ?? 0))),
      },
      sum: told('sum'),
      count,
    };
  });
}

function labelsOf(labels: RegistryValue['labels']): Labels {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
