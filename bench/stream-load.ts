/** The load: so many streams at once, begun one after the other. Prints one JSON line. */
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { bytesOf, FIRST_EVENT } from './stream-events.ts';
import type { StreamLoad, StreamResult } from './streams.ts';

const load: StreamLoad = JSON.parse(process.argv[2] ?? '');
const pool = new Pool(load.origin, { connections: load.streams, headersTimeout: 60_000, bodyTimeout: 60_000 });
const expected = bytesOf(load.tokens);
const firstMs: number[] = [];
const failures: string[] = [];
let longestGapMs = 0;

function stream(number: number): Promise<void> {
  const messages = [{ role: 'user', content: `What lies in harbour ${number}?` }];
  const body = JSON.stringify({ model: `${load.modelPrefix}tokens-${load.tokens}`, stream: true, messages });
  const startedAt = performance.now();
  let received = 0;
  let status = 0;
  let lastAt = 0;
  return new Promise((resolve) => {
    const done = (failure: string | undefined) => {
      if (failure !== undefined) failures.push(failure);
      resolve();
    };
    pool.dispatch(
      { method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json' }, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode;
        },
        onResponseData: (_controller, chunk) => {
          const now = performance.now();
          if (received > 0) longestGapMs = Math.max(longestGapMs, now - lastAt);
          lastAt = now;
          // What comes before it says only that somebody is about to speak.
          const isFirst = received <= FIRST_EVENT.length && received + chunk.length > FIRST_EVENT.length;
          if (isFirst) firstMs.push(now - startedAt);
          received += chunk.length;
        },
        onResponseEnd: () => done(status === 200 && received === expected ? undefined : `${status}, ${received} bytes`),
        onResponseError: (_controller, error) => done(error.message),
      },
    );
  });
}

const running: Promise<void>[] = [];
for (let number = 0; number < load.streams; number += 1) {
  running.push(stream(number));
  await pause(load.beginOverMs / load.streams);
}
await Promise.all(running);
firstMs.sort((a, b) => a - b);
const percentile = (share: number) => firstMs[Math.floor((firstMs.length - 1) * share)] ?? 0;
const result: StreamResult = {
  firstP50Ms: percentile(0.5),
  firstP99Ms: percentile(0.99),
  longestGapMs,
  failures: failures.length,
  ...(failures[0] !== undefined && { firstFailure: failures[0] }),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
