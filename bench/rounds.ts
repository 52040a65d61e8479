import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Running, runFile } from '../tests/rig/processes.ts';

export interface Load {
  readonly origin: string;
  readonly model: string;
  readonly requests: number;
  readonly inFlight: number;
  /** A shorter answer counts as a failure. */
  readonly minBytes: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  readonly firstFailure?: string;
}

/** What a process used since it was last asked. */
export interface Usage {
  /** All its threads. */
  readonly cpuUs: number;
  readonly mainThreadUs: number;
  readonly longestStallMs: number;
  /** Since its start. */
  readonly peakRssBytes: number;
}

export interface Round extends LoadResult {
  readonly cpuUs: number;
  readonly mainThreadUs: number;
  readonly longestStallMs: number;
}

const LOAD_TIMEOUT_MS = 180_000;

export const PROBE = ['--import', new URL('./probe.ts', import.meta.url).href];

export type ServerName = 'upstream' | 'passthrough' | 'stream-upstream' | 'stream-proxy';

function program(name: ServerName | 'load' | 'stream-load'): string {
  return fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
}

/** Starts a program that prints where it listens. */
export async function startServer(name: ServerName, args: readonly string[]) {
  const running = runFile(program(name), args, { nodeArgs: PROBE });
  const [origin] = await running.said(/^http\S+$/m);
  return { origin, running };
}

export async function usageOf({ child }: Running): Promise<Usage> {
  const answer = once(child, 'message');
  child.send('usage');
  const [usage] = await answer;
  return usage as Usage;
}

export function runLoad(load: Load): Promise<LoadResult> {
  return runProgram('load', load);
}

/** Runs a program of the load, which prints its result as one line of JSON. */
export async function runProgram<Given, Result>(name: 'load' | 'stream-load', load: Given): Promise<Result> {
  const running = runFile(program(name), [JSON.stringify(load)]);
  try {
    const [line] = await running.said(/^\{.*\}$/m, LOAD_TIMEOUT_MS);
    return JSON.parse(line) as Result;
  } finally {
    await running.end('SIGKILL');
  }
}

/** One round; CPU is per request. `settleMs` waits for work that a server does after its answers. */
export async function runRound(load: Load, server: Running | undefined, settleMs = 0): Promise<Round> {
  if (server) await usageOf(server);
  const result = await runLoad(load);
  if (settleMs > 0) await pause(settleMs);
  const usage = server ? await usageOf(server) : undefined;
  return {
    ...result,
    cpuUs: (usage?.cpuUs ?? 0) / load.requests,
    mainThreadUs: (usage?.mainThreadUs ?? 0) / load.requests,
    longestStallMs: usage?.longestStallMs ?? 0,
  };
}

/** The median of each figure; of failures the sum, of stalls the longest. */
export function medianRound(rounds: readonly Round[]): Round {
  const median = (figure: (round: Round) => number) => {
    const sorted = rounds.map(figure).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const firstFailure = rounds.find((round) => round.firstFailure !== undefined)?.firstFailure;
  return {
    perSecond: median((round) => round.perSecond),
    p50Ms: median((round) => round.p50Ms),
    p99Ms: median((round) => round.p99Ms),
    cpuUs: median((round) => round.cpuUs),
    mainThreadUs: median((round) => round.mainThreadUs),
    longestStallMs: Math.max(...rounds.map((round) => round.longestStallMs)),
    failures: rounds.reduce((sum, round) => sum + round.failures, 0),
    ...(firstFailure !== undefined && { firstFailure }),
  };
}
