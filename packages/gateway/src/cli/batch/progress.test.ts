import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { LineEvent } from './events.ts';
import { foldBatch, newLine } from './manifest.ts';
import { figuresOf, figuresText, showProgress } from './progress.ts';

const events: readonly LineEvent[] = [
  { type: 'intended', line: 1, at: 0, key: 'a', reserved_usd: 0.08 },
  { type: 'accepted', line: 1, at: 0, task: 't' },
  { type: 'done', line: 1, at: 5, files: [], missing: 0, charge: { price_usd: 0.04, possible_usd: 0 } },
  { type: 'intended', line: 2, at: 0, key: 'b', reserved_usd: 0.08 },
];
const manifest = () => foldBatch([1, 2, 3, 4].map(newLine), events);

test('figures: done, failed, left, spent, reserved, and the time that is left at this pace', () => {
  const text = figuresText(figuresOf(manifest(), [0, 30_000, 60_000], 60_000));
  assert.equal(text, '1/4 done · 0 failed · 3 left · $0.04 spent · $0.08 reserved · 2 min left');
  assert.equal(figuresOf(manifest(), [0], 60_000).etaMs, undefined);
});

test('on a terminal there is a bar, and it lets go of the terminal', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  let printed = '';
  stream.on('data', (chunk) => {
    printed += chunk;
  });
  const listeners = process.listenerCount('SIGINT');
  const context = {
    env: {},
    cwd: '/',
    stdout: stream,
    stderr: stream,
    signal: new AbortController().signal,
    startGateway: () => Promise.reject(new Error('none')),
  };
  const progress = showProgress(context, manifest(), false);
  assert.equal(process.listenerCount('SIGINT'), listeners, 'Ctrl-C stays with the command');
  const [, , done] = events;
  if (done?.type === 'done') progress.event(done);
  progress.stop();
  assert.match(printed, /\[=+-+\] 1\/4 done · 0 failed · 3 left · \$0\.04 spent · \$0\.08 reserved/);
});
