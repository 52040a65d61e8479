/**
 * Batches against providers whose limits nobody told the gateway, beside p-queue and the stock SDK with the same batch,
 * and a limit that is known. Real clocks; `--quick` is the same in small. Exits with 1 when an aim is missed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { readLedger } from '../tests/rig/ledger.ts';
import { type SandboxOptions, startSandbox } from '../tests/rig/sandbox.ts';
import { keepLimit } from './keeping.ts';
import {
  type Contender,
  type PacedBatch,
  QUEUE_CONCURRENCY,
  throughOnetake,
  throughQueue,
} from './pacing-contenders.ts';
import { type Enforced, figuresOf, type PacingFigures } from './pacing-figures.ts';
import { table } from './table.ts';

interface Scenario {
  readonly name: string;
  readonly sandbox: SandboxOptions;
  readonly enforced: Enforced;
  readonly batch: PacedBatch;
}

interface Measured extends PacingFigures {
  readonly scenario: string;
  readonly contender: string;
  readonly got: number;
}

const quick = process.argv.includes('--quick');
/** To find a limit costs the same few refusals in a short batch, where they are more of the whole. */
const AIMS = quick ? { usedShare: 0.9, refusedShare: 0.12 } : { usedShare: 0.95, refusedShare: 0.03 };
/** Refusals come in milliseconds and pictures in seconds, as everywhere. */
const IMAGES_MODEL = quick ? 'slow:0.5' : 'slow:2';
/** Ten processes start at once; instants are measured when they are done with that. */
const STARTS_MS = 8_000;
const ONETAKE_NAME = 'onetake batch';

const SCENARIOS: readonly Scenario[] = quick
  ? [concurrency(4, 0.5, 80), images(20, 10, 100)]
  : [concurrency(4, 2, 300), images(60, 60, 300)];
const KEPT = quick ? { requests: 20, count: 5, windowMs: 3_000 } : { requests: 20, count: 5, windowMs: 60_000 };

function concurrency(count: number, callSeconds: number, pictures: number): Scenario {
  return {
    name: `${count} at once, told in each 429`,
    sandbox: { limit: `concurrency=${count}` },
    enforced: { kind: 'concurrency', count, callMs: callSeconds * 1_000 },
    batch: { pictures, model: `slow:${callSeconds}` },
  };
}

function images(count: number, windowSeconds: number, pictures: number): Scenario {
  return {
    name: `${count} per ${windowSeconds} s, never told`,
    sandbox: { limit: `images=${count}/${windowSeconds}s`, silent: true },
    enforced: { kind: 'images', count, windowMs: windowSeconds * 1_000 },
    batch: { pictures, model: IMAGES_MODEL },
  };
}

async function measure(scenario: Scenario, contender: string, run: Contender): Promise<Measured> {
  const sandbox = await startSandbox(scenario.sandbox);
  try {
    const got = await run(sandbox.url, scenario.batch);
    const { entries, total } = await readLedger(sandbox.url);
    if (total.requests > entries.length) throw new Error(`${total.requests} requests, ${entries.length} listed`);
    const figures = figuresOf(entries, scenario.batch.pictures, scenario.enforced);
    return { scenario: scenario.name, contender, got, ...figures };
  } finally {
    await sandbox.close();
  }
}

function rowOf(one: Measured): readonly string[] {
  return [
    ...[one.scenario, one.contender, String(one.got), String(one.made), String(one.requests)],
    ...[
      one.usedShare === undefined ? '–' : percent(one.usedShare),
      percent(one.refusedShare),
      (one.tookMs / 1_000).toFixed(0),
    ],
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function missesOf(one: Measured, wanted: number): readonly string[] {
  const { usedShare = 0 } = one;
  const miss = (what: string) => `${one.scenario}: ${what}`;
  return [
    ...(one.got < wanted ? [miss(`${one.got} of ${wanted} pictures`)] : []),
    ...(one.made > one.got ? [miss(`${one.made} paid and ${one.got} got`)] : []),
    ...(usedShare < AIMS.usedShare ? [miss(`${percent(usedShare)} of the limit used`)] : []),
    ...(one.refusedShare > AIMS.refusedShare ? [miss(`${percent(one.refusedShare)} of the requests refused`)] : []),
  ];
}

process.stderr.write(`running for ${quick ? 'a minute' : 'five minutes'}\n`);
const runs = SCENARIOS.flatMap((scenario) => [
  measure(scenario, ONETAKE_NAME, throughOnetake),
  measure(scenario, `p-queue ${QUEUE_CONCURRENCY} + openai`, throughQueue),
]);
const keeping = pause(STARTS_MS).then(() => keepLimit(KEPT.requests, KEPT.count, KEPT.windowMs));
const [kept, ...measured] = await Promise.all([keeping, ...runs]);
const limit = `${KEPT.count} per ${KEPT.windowMs / 1_000} s`;
const misses = [
  ...SCENARIOS.flatMap(({ name, batch }) =>
    measured
      .filter(({ scenario, contender }) => scenario === name && contender === ONETAKE_NAME)
      .flatMap((one) => missesOf(one, batch.pictures)),
  ),
  ...(kept.pictures < KEPT.requests ? [`${limit}: ${kept.pictures} of ${KEPT.requests} pictures`] : []),
  ...(kept.mostInAnyWindow > KEPT.count ? [`${limit}: ${kept.mostInAnyWindow} in one window`] : []),
  ...(kept.refusedCallers > 0 ? [`${limit}: ${kept.refusedCallers} callers were told 429`] : []),
];
process.stdout.write(`
${table([['the provider allows', 'by', 'got', 'paid', 'requests', 'of the limit', '429s', 'seconds'], ...measured.map(rowOf)])}

${KEPT.requests} calls at once, limit of ${limit} configured: ${kept.pictures} pictures, at most ${kept.mostInAnyWindow} in any window, ${kept.refusedCallers} callers told 429, ${(kept.tookMs / 1_000).toFixed(0)} s

All at the same time, each against a provider of its own; batches of ${SCENARIOS.map(({ batch }) => batch.pictures).join(' and ')}. Nobody told the gateway these limits.
Of the limit, and 429s: after the first tenth, from the provider's bill. Of the limit: the least time in which it
allows what was made ÷ the time that took. p-queue's ${QUEUE_CONCURRENCY} is what a person sets who does not know the limit; the SDK
repeats twice by itself, and then the picture is missing.

${misses.length === 0 ? `all aims met: at least ${percent(AIMS.usedShare)} of the limit, at most ${percent(AIMS.refusedShare)} 429s` : misses.map((miss) => `MISSED  ${miss}`).join('\n')}
`);
if (misses.length > 0) process.exitCode = 1;
