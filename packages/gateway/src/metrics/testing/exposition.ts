/** A family of the text format: one HELP, one TYPE, then its samples. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary'] as const;
const SUFFIXES: Readonly<Record<Family['type'], readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Reads the text format of Prometheus 0.0.4 strictly, and throws what is wrong and where.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseExposition(text: string): readonly Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families: (Family & { readonly samples: Sample[] })[] = [];
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (word === 'HELP') {
      if (families.some((one) => one.name === name)) throw new Error(`${name} has a second HELP`);
      if (/\\(?![\\n])/.test(rest)) throw new Error(`${name}: a backslash of its HELP escapes nothing`);
      help = { name, text: rest };
    } else if (word === 'TYPE') {
      const type = TYPES.find((one) => one === rest);
      if (help?.name !== name || type === undefined) throw new Error(`${line}: no HELP before it, or no such type`);
      if (!NAME.test(name)) throw new Error(`${name} is no name`);
      families.push({ name, help: help.text, type, samples: [] });
    } else if (!line.startsWith('#')) {
      const family = families.at(-1);
      const sample = parseSample(line);
      const suffix = family && sample.name.startsWith(family.name) ? sample.name.slice(family.name.length) : undefined;
      if (family === undefined || suffix === undefined || !SUFFIXES[family.type].includes(suffix))
        throw new Error(`${line}: no sample of ${family?.name}`);
      family.samples.push(sample);
    } else throw new Error(`${line}: neither HELP nor TYPE`);
  }
  for (const family of families) checkFamily(family);
  return families;
}

function parseSample(line: string): Sample {
  const [, name, inside = '', value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`${line}: no sample`);
  const labels: Record<string, string> = {};
  let left = inside;
  while (left !== '') {
    const found = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(left);
    const [whole = '', label = '', text = ''] = found ?? [];
    if (found === null || label in labels) throw new Error(`${line}: its labels are wrong at ${left}`);
    labels[label] = text.replace(/\\([\\"n])/g, (_match, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    left = left.slice(whole.length);
  }
  return { name, labels, value: numberOf(value, line) };
}

function numberOf(text: string, line: string): number {
  const special = { '+Inf': Number.POSITIVE_INFINITY, '-Inf': Number.NEGATIVE_INFINITY, NaN: Number.NaN }[text];
  if (special !== undefined || text === 'Nan') return special ?? Number.NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new Error(`${line}: ${text} is no number`);
  return Number(text);
}

function checkFamily(family: Family): void {
  const seen = new Set<string>();
  for (const { name, labels } of family.samples) {
    const series = `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`;
    if (seen.has(series)) throw new Error(`${series} is there twice`);
    seen.add(series);
  }
  if (family.type === 'counter' && family.samples.some(({ value }) => !(value >= 0)))
    throw new Error(`${family.name}: a counter below 0`);
  if (family.type === 'histogram') checkHistogram(family);
}

/** Buckets grow to `+Inf`, which is the count; each series has all of them, a sum and a count. */
function checkHistogram({ name, samples }: Family): void {
  const series = Map.groupBy(samples, ({ labels: { le: _le, ...labels } }) => JSON.stringify(labels));
  for (const [labels, own] of series) {
    const buckets = own.filter((one) => one.name === `${name}_bucket`);
    const edges = buckets.map(({ labels: { le = '' } }) => numberOf(le, name));
    const grows = (all: readonly number[], strictly: boolean) =>
      all.every((value, index) => {
        const before = all[index - 1];
        return before === undefined || (strictly ? value > before : value >= before);
      });
    const counts = buckets.map(({ value }) => value);
    const count = own.find((one) => one.name === `${name}_count`)?.value;
    const hasSum = own.some((one) => one.name === `${name}_sum`);
    const isWhole = edges.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count;
    if (!hasSum || !isWhole || !grows(edges, true) || !grows(counts, false))
      throw new Error(`${name}${labels}: its buckets do not add up`);
  }
}
