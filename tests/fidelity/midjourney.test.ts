import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROVIDERS } from '@onetake/core';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { walkSubmit } from '../rig/steps.ts';

/** There is no official client; the imitation answers what the server's own source does. */
const PROMPT = 'a lighthouse';
const ASKED = { model: 'imagine', prompt: PROMPT };

const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['policy', 'policy', 'rejected', 0],
  ['500', 'server', 'failed', 0],
  ['503', 'server', 'ambiguous', 0],
  ['error-in-200', 'server', 'failed', 0],
  ['moderated', 'policy', 'rejected', 0],
  ['moderated-output', 'policy', 'completed', 1],
  ['failed', 'server', 'failed', 1],
  ['gone:0', 'not_found', 'ambiguous', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of midjourney-proxy', { concurrency: true }, () => {
  test('a prompt is one grid, of the ratio that was asked for', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = { ...ASKED, aspectRatio: '16:9', negativePrompt: 'text' };
    const { images } = await askAdapter('midjourney', imitationUrl(sandbox, 'midjourney/mj'), asked);
    const { width = 0, height = 1 } = images[0]?.asset ?? {};
    assert.deepEqual([images.length, (width / height).toFixed(1)], [1, '1.8']);
    assert.equal((await countOf(sandbox.url, 'midjourney/imagine')).charged, 1);
  });

  test('a full queue is waited for, and costs nothing', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'midjourney/mj', '429,ok');
    const { attempts, paidAttempts } = await askAdapter('midjourney', baseUrl, ASKED);
    assert.deepEqual([attempts, paidAttempts], [2, 1]);
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const failure = await failureOfAdapter('midjourney', imitationUrl(sandbox, 'midjourney/mj', script), ASKED);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, 'midjourney/imagine')).charged, charged);
    });
  }

  test('a grid is varied and upscaled by its job', async (t) => {
    const sandbox = await sandboxFor(t);
    const context = { baseUrl: imitationUrl(sandbox, 'midjourney/mj'), model: 'imagine' };
    const generate = { operation: 'generate', prompt: PROMPT, n: 1 } as const;
    const { progress } = await walkSubmit('midjourney', context, generate, Buffer.alloc(0));
    assert.ok(progress.kind === 'waiting');
    await sleep(300);
    for (const operation of ['variation', 'upscale'] as const) {
      const source = { target: 'midjourney/imagine', handle: progress.handle, index: 2 };
      const changed = await walkSubmit('midjourney', context, { ...generate, operation, source }, Buffer.alloc(0));
      assert.deepEqual([changed.paths, changed.progress.kind], [['/submit/change'], 'waiting']);
    }
    assert.equal((await countOf(sandbox.url, 'midjourney/imagine')).charged, 3);
  });

  test('a job that is given up ends as canceled, and only the look after it says so', async (t) => {
    const sandbox = await sandboxFor(t);
    const context = { baseUrl: imitationUrl(sandbox, 'midjourney/mj', 'stuck'), model: 'imagine' };
    const generate = { operation: 'generate', prompt: PROMPT, n: 1 } as const;
    const { progress } = await walkSubmit('midjourney', context, generate, Buffer.alloc(0));
    assert.ok(progress.kind === 'waiting');
    const calls = PROVIDERS.find(({ id }) => id === 'midjourney')?.image;
    const whole = { runId: 'run', attempt: 1, ...context };
    const ask = (request: { method: string; url: string } | undefined) =>
      fetch(request?.url ?? '', { method: request?.method ?? '', headers: { 'mj-api-secret': 'imitation-key' } });
    assert.equal((await ask(calls?.cancel?.build(progress.handle, whole))).status, 200);
    const answer = await ask(calls?.poll?.build(progress.handle, whole));
    const looked = { status: 200, headers: {}, body: JSON.parse(await answer.text()), text: '' };
    const ended = calls?.poll?.parse(looked, progress.handle, whole);
    assert.ok(ended?.kind === 'failed');
    assert.deepEqual([ended.failure.kind, ended.failure.cancel], ['canceled', 'confirmed']);
  });
});
