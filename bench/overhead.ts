/**
 * What Onetake costs beside a bare Node proxy that passes bytes on, measured in the same run in alternating rounds.
 * Exits with 1 when a request fails; aims that are missed are printed, not punished.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Running } from '../tests/rig/processes.ts';
import { GATEWAY_MODEL_PREFIX, startMeasured } from './measured-gateway.ts';
import { AIM_RSS_BYTES, type MemoryResult, measureMemory, PICTURE_BYTES, PICTURES } from './memory.ts';
import { type Load, medianRound, type Round, runRound, startServer } from './rounds.ts';
import { table } from './table.ts';
import { measureWriting } from './writing.ts';

interface Case {
  readonly answer: string;
  readonly pictureBytes: number;
  readonly inFlight: number;
  readonly requests: number;
}

interface Via {
  readonly name: 'direct' | 'bare proxy' | 'Onetake';
  readonly origin: string;
  readonly modelPrefix: string;
  readonly server?: Running;
}

type Results = ReadonlyMap<Via['name'], Round>;

const MIB = 1024 * 1024;
const ROUNDS = 3;
const WARM_UP_REQUESTS = 300;
/** Onetake writes down what was delivered some seconds after its answers; that work is counted too. */
const SETTLE_MS = 7_000;

const SMALL: Case = { answer: '1 KB', pictureBytes: 640, inFlight: 1, requests: 1_000 };
const SMALL_MANY: Case = { ...SMALL, inFlight: 64, requests: 6_000 };
const BIG: readonly Case[] = [
  { answer: '1 MB', pictureBytes: MIB, inFlight: 50, requests: 200 },
  { answer: '2 MB', pictureBytes: 2 * MIB, inFlight: 50, requests: 150 },
  { answer: '4 MB', pictureBytes: 4 * MIB, inFlight: 50, requests: 100 },
  { answer: '8 MB', pictureBytes: 8 * MIB, inFlight: 50, requests: 100 },
];
const CASES = [SMALL, SMALL_MANY, ...BIG];

async function measure(one: Case, vias: readonly Via[]): Promise<Results> {
  const rounds = new Map<Via['name'], Round[]>(vias.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const via of vias) {
      const load = loadOf(one, via);
      if (round === 0) await runRound({ ...load, requests: Math.min(WARM_UP_REQUESTS, one.requests) }, via.server);
      const settleMs = via.name === 'Onetake' ? SETTLE_MS : 0;
      rounds.get(via.name)?.push(await runRound(load, via.server, settleMs));
    }
  }
  return new Map([...rounds].map(([name, all]) => [name, medianRound(all)]));
}

function loadOf({ pictureBytes, inFlight, requests }: Case, { origin, modelPrefix }: Via): Load {
  return { origin, model: `${modelPrefix}png-${pictureBytes}`, requests, inFlight, minBytes: pictureBytes };
}

function resultRows(one: Case, results: Results): string[][] {
  return [...results].map(([name, round]) => [
    one.answer,
    String(one.inFlight),
    name,
    round.p50Ms.toFixed(2),
    round.p99Ms.toFixed(1),
    round.perSecond.toFixed(round.perSecond < 100 ? 1 : 0),
    ...(name === 'direct'
      ? ['', '', '']
      : [cpu(round.cpuUs), cpu(round.mainThreadUs), round.longestStallMs.toFixed(0)]),
    String(round.failures),
  ]);
}

function cpu(microseconds: number): string {
  return (microseconds / 1000).toFixed(microseconds < 1000 ? 3 : 2);
}

/** One line per aim: what was aimed at and what was reached. */
function aimRows(
  measured: ReadonlyMap<Case, Results>,
  memory: MemoryResult,
  writing: ReadonlyMap<Case, number>,
): string[][] {
  const figures = (one: Case, via: Via['name']) => measured.get(one)?.get(via);
  const added = (figures(SMALL, 'Onetake')?.p50Ms ?? 0) - (figures(SMALL, 'direct')?.p50Ms ?? 0);
  const small = figures(SMALL_MANY, 'Onetake')?.cpuUs ?? 0;
  const ratios = BIG.filter(({ pictureBytes }) => pictureBytes >= 2 * MIB).flatMap((one): string[][] => {
    const proxyUs = figures(one, 'bare proxy')?.cpuUs || 1;
    const ratio = (figures(one, 'Onetake')?.cpuUs ?? 0) / proxyUs;
    const floor = (writing.get(one) ?? 0) / proxyUs;
    return [
      [`CPU per ${one.answer} picture beside the bare proxy`, '3.0 ×', `${ratio.toFixed(1)} ×`, verdict(ratio <= 3)],
      ['  only writing and syncing its bytes to a file, here', '', `${floor.toFixed(1)} ×`, ''],
    ];
  });
  const stallOf = (via: Via['name']) => Math.max(...BIG.map((one) => figures(one, via)?.longestStallMs ?? 0));
  const [stall, proxyStall] = [stallOf('Onetake'), stallOf('bare proxy')];
  const peak = `${(memory.peakRssBytes / MIB).toFixed(0)} MiB, ${memory.failures} failed`;
  const isSmall = memory.peakRssBytes < AIM_RSS_BYTES && memory.failures === 0;
  return [
    ['added to the p50 of a 1 KB call', '2 ms', `${added.toFixed(2)} ms`, verdict(added < 2)],
    ['CPU per 1 KB call, 64 in flight', '150 µs', `${small.toFixed(0)} µs`, verdict(small < 150)],
    ...ratios,
    ['longest main-thread stall, 50 big pictures in flight', '20 ms', `${stall.toFixed(0)} ms`, verdict(stall <= 20)],
    ['  the bare proxy in the same run', '', `${proxyStall.toFixed(0)} ms`, ''],
    [`peak memory, ${PICTURES} pictures of ${PICTURE_BYTES / MIB} MB at once`, '400 MiB', peak, verdict(isSmall)],
  ];
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : 'missed';
}

async function measureAll(): Promise<ReadonlyMap<Case, Results>> {
  const { upstream, gateway, close } = await startMeasured();
  const proxy = await startServer('passthrough', [upstream]);
  const vias: readonly Via[] = [
    { name: 'direct', origin: upstream, modelPrefix: '' },
    { name: 'bare proxy', origin: proxy.origin, modelPrefix: '', server: proxy.running },
    { name: 'Onetake', origin: gateway.url, modelPrefix: GATEWAY_MODEL_PREFIX, server: gateway.process },
  ];
  const measured = new Map<Case, Results>();
  try {
    for (const one of CASES) {
      process.stderr.write(`measuring ${one.answer} answers, ${one.inFlight} in flight\n`);
      measured.set(one, await measure(one, vias));
    }
    return measured;
  } finally {
    await Promise.all([close(), proxy.running.end('SIGTERM')]);
  }
}

const WRITTEN_FILES = 48;
const HEADING = [
  ...['answer', 'in flight', 'via', 'p50 ms', 'p99 ms', 'requests/s'],
  ...['CPU ms', 'of it main thread', 'longest stall ms', 'failed'],
];

const measured = await measureAll();
process.stderr.write('measuring the disk\n');
const directory = await mkdtemp(join(tmpdir(), 'onetake-writing-'));
const writing = new Map<Case, number>();
for (const one of BIG) writing.set(one, await measureWriting(directory, one.pictureBytes, WRITTEN_FILES));
await rm(directory, { recursive: true });
process.stderr.write('measuring memory\n');
const memory = await measureMemory();
process.stdout.write(`
${table([HEADING, ...[...measured].flatMap(([one, results]) => resultRows(one, results))])}

${table([['', 'aim', 'reached', ''], ...aimRows(measured, memory, writing)])}

Medians of ${ROUNDS} alternating rounds; stalls are the longest of all. CPU is per request, all threads of the process.
Sizes are the picture's; its base64 is a third more. Provider, proxy, gateway and load share this machine's ${availableParallelism()}
cores, so latencies and stalls hold waiting for a core; compare within a case only.
`);
for (const { firstFailure } of [...measured.values()].flatMap((results) => [...results.values(), memory])) {
  if (firstFailure === undefined) continue;
  process.stdout.write(`a request failed: ${firstFailure}\n`);
  process.exitCode = 1;
}
