/**
 * What a stream of chat costs beside a bare Node proxy that pipes it through, measured in the same run in alternating
 * rounds. Exits with 1 when a stream is cut, changed or fails; aims that are missed are printed, not punished.
 */
import { availableParallelism } from 'node:os';
import type { Running } from '../tests/rig/processes.ts';
import { GATEWAY_MODEL_PREFIX, startMeasured } from './measured-gateway.ts';
import { runProgram, startServer, usageOf } from './rounds.ts';
import { PER_SECOND } from './stream-events.ts';
import { table } from './table.ts';

export interface StreamLoad {
  readonly origin: string;
  readonly modelPrefix: string;
  readonly streams: number;
  readonly tokens: number;
  /** The streams are begun evenly over so long. */
  readonly beginOverMs: number;
}

export interface StreamResult {
  /** From the request to the first token. */
  readonly firstP50Ms: number;
  readonly firstP99Ms: number;
  /** Between two arrivals of one stream, the longest of all. */
  readonly longestGapMs: number;
  /** Streams that did not bring every byte of the provider's. */
  readonly failures: number;
  readonly firstFailure?: string;
}

interface Via {
  readonly name: 'direct' | 'bare proxy' | 'Onetake';
  readonly origin: string;
  readonly modelPrefix: string;
  readonly server?: Running;
}

interface Round extends StreamResult {
  /** Per token, all threads. */
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

const ROUNDS = 3;
const STREAMS = 1_000;
const TOKENS = 100;
const BEGIN_OVER_MS = 5_000;
const AIM_RATIO = 1.3;
const AIM_RSS_BYTES = 300 * 1024 * 1024;
const AIM_GAP_MS = 1_000;
/** What is written down after the answers is counted too. */
const SETTLE_MS = 2_000;
const MIB = 1024 * 1024;

async function runRound({ origin, modelPrefix, server }: Via, streams = STREAMS, tokens = TOKENS): Promise<Round> {
  if (server) await usageOf(server);
  const load: StreamLoad = { origin, modelPrefix, streams, tokens, beginOverMs: BEGIN_OVER_MS * (streams / STREAMS) };
  const result = await runProgram<StreamLoad, StreamResult>('stream-load', load);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const usage = server && (await usageOf(server));
  return { ...result, cpuUs: (usage?.cpuUs ?? 0) / (streams * tokens), peakRssBytes: usage?.peakRssBytes ?? 0 };
}

async function measureAll(): Promise<ReadonlyMap<Via['name'], readonly Round[]>> {
  const { upstream, gateway, close } = await startMeasured([], 'stream-upstream');
  const proxy = await startServer('stream-proxy', [upstream]);
  const vias: readonly Via[] = [
    { name: 'direct', origin: upstream, modelPrefix: '' },
    { name: 'bare proxy', origin: proxy.origin, modelPrefix: '', server: proxy.running },
    { name: 'Onetake', origin: gateway.url, modelPrefix: GATEWAY_MODEL_PREFIX, server: gateway.process },
  ];
  const measured = new Map<Via['name'], Round[]>(vias.map(({ name }) => [name, []]));
  try {
    for (const via of vias) await runRound(via, 100, 10);
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const via of vias) {
        process.stderr.write(`round ${round} of ${ROUNDS}: ${via.name}\n`);
        measured.get(via.name)?.push(await runRound(via));
      }
    }
    return measured;
  } finally {
    await Promise.all([close(), proxy.running.end('SIGTERM')]);
  }
}

/** Of a gateway that has just started: what 1,000 streams take, and not what earlier ones left to collect. */
async function measureMemory(): Promise<Round> {
  const { gateway, close } = await startMeasured([], 'stream-upstream');
  try {
    const server = gateway.process;
    return await runRound({ name: 'Onetake', origin: gateway.url, modelPrefix: GATEWAY_MODEL_PREFIX, server });
  } finally {
    await close();
  }
}

function median(rounds: readonly Round[], figure: (round: Round) => number): number {
  const sorted = rounds.map(figure).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function rowOf([name, rounds]: readonly [Via['name'], readonly Round[]]): string[] {
  return [
    name,
    median(rounds, (round) => round.firstP50Ms).toFixed(1),
    median(rounds, (round) => round.firstP99Ms).toFixed(1),
    Math.max(...rounds.map((round) => round.longestGapMs)).toFixed(0),
    name === 'direct' ? '' : median(rounds, (round) => round.cpuUs).toFixed(1),
    name === 'direct' ? '' : (Math.max(...rounds.map((round) => round.peakRssBytes)) / MIB).toFixed(0),
    String(rounds.reduce((sum, { failures }) => sum + failures, 0)),
  ];
}

function aimRows(measured: ReadonlyMap<Via['name'], readonly Round[]>, memory: Round): string[][] {
  const ours = measured.get('Onetake') ?? [];
  const cpuOf = (rounds: readonly Round[]) => median(rounds, (round) => round.cpuUs);
  const ratio = cpuOf(ours) / (cpuOf(measured.get('bare proxy') ?? []) || 1);
  const rss = memory.peakRssBytes;
  const gap = Math.max(...ours.map((round) => round.longestGapMs));
  const failures = ours.reduce((sum, round) => sum + round.failures, 0);
  return [
    ['CPU per token beside the bare proxy', `${AIM_RATIO} ×`, `${ratio.toFixed(2)} ×`, verdict(ratio <= AIM_RATIO)],
    [`peak memory, ${STREAMS} streams`, '300 MiB', `${(rss / MIB).toFixed(0)} MiB`, verdict(rss < AIM_RSS_BYTES)],
    ['longest gap in a stream', `${AIM_GAP_MS} ms`, `${gap.toFixed(0)} ms`, verdict(gap < AIM_GAP_MS)],
    ['streams cut or changed', '0', String(failures), verdict(failures === 0)],
  ];
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : 'missed';
}

const HEADING = [
  ...['via', 'first token p50 ms', 'p99 ms', 'longest gap ms'],
  ...['CPU µs per token', 'peak memory MiB', 'failed'],
];

const measured = await measureAll();
process.stderr.write('measuring memory\n');
const memory = await measureMemory();
process.stdout.write(`
${table([HEADING, ...[...measured].map(rowOf)])}

${table([['', 'aim', 'reached', ''], ...aimRows(measured, memory)])}

${STREAMS} streams at once, ${PER_SECOND} tokens a second each, ${TOKENS} tokens; medians of ${ROUNDS} alternating rounds, gaps and memory
the highest of all. CPU is of all threads of the process. Provider, proxy, gateway and load share this machine's
${availableParallelism()} cores, so times hold waiting for a core.
`);
for (const { firstFailure } of [...[...measured.values()].flat(), memory]) {
  if (firstFailure === undefined) continue;
  process.stdout.write(`a stream failed: ${firstFailure}\n`);
  process.exitCode = 1;
}
