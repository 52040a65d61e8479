/** The load: so many requests, so many in flight, as little work per answer as there can be. Prints one JSON line. */
import { Pool } from 'undici';
import type { Load, LoadResult } from './rounds.ts';

const load: Load = JSON.parse(process.argv[2] ?? '');
const pool = new Pool(load.origin, { connections: load.inFlight, headersTimeout: 60_000, bodyTimeout: 60_000 });
const latenciesMs: number[] = [];
const failures: string[] = [];
let sent = 0;

/** Resolves with nothing, or with what was wrong with the answer. */
function request(number: number): Promise<string | undefined> {
  const prompt = `a red fox ${process.pid} ${number}`;
  const body = JSON.stringify({ model: load.model, prompt });
  let status = 0;
  let received = 0;
  return new Promise((resolve) => {
    pool.dispatch(
      { method: 'POST', path: '/v1/images/generations', headers: { 'content-type': 'application/json' }, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode;
        },
        onResponseData: (_controller, chunk) => {
          received += chunk.length;
        },
        onResponseEnd: () => resolve(status === 200 && received >= load.minBytes ? undefined : `status ${status}`),
        onResponseError: (_controller, error) => resolve(error.message),
      },
    );
  });
}

async function work(): Promise<void> {
  while (sent < load.requests) {
    sent += 1;
    const startedAt = performance.now();
    const failure = await request(sent);
    latenciesMs.push(performance.now() - startedAt);
    if (failure !== undefined) failures.push(failure);
  }
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: load.inFlight }, work));
const seconds = (performance.now() - startedAt) / 1000;
latenciesMs.sort((a, b) => a - b);
const percentile = (share: number) => latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? 0;
const result: LoadResult = {
  perSecond: load.requests / seconds,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
  failures: failures.length,
  ...(failures[0] !== undefined && { firstFailure: failures[0] }),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
