import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A metric as the guide lists it. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export type Maker = ReturnType<typeof createMaker>;

/** Makes metrics in this registry, with the prefix of ours before each name, and remembers them for the guide. */
export function createMaker(register: Registry) {
  const made: Family[] = [];
  const described = <Label extends string>(
    type: Family['type'],
    name: string,
    help: string,
    labels: readonly Label[],
  ) => {
    made.push({ name: `onetake_${name}`, type, labels, help });
    return { name: `onetake_${name}`, help, labelNames: [...labels], registers: [register] };
  };
  return {
    made: made as readonly Family[],
    counter: <Label extends string>(name: string, help: string, ...labels: readonly Label[]) =>
      new Counter<Label>(described('counter', name, help, labels)),
    gauge: <Label extends string>(name: string, help: string, ...labels: readonly Label[]) =>
      new Gauge<Label>(described('gauge', name, help, labels)),
    histogram: <Label extends string>(
      name: string,
      help: string,
      buckets: readonly number[],
      ...labels: readonly Label[]
    ) => new Histogram<Label>({ ...described('histogram', name, help, labels), buckets: [...buckets] }),
  };
}
