import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ApiError, createFalClient, type FalClient, ValidationError } from '@fal-ai/client';
import type { Sandbox } from '@onetake/sandbox';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { letterBox } from '../rig/letter-box.ts';

const PROMPT = 'a lighthouse';
const FLUX = 'fal-ai/flux/dev';

/** The client builds its addresses itself; they are turned to the imitation as its proxies are used. */
function clientOf(sandbox: Sandbox, script?: string): FalClient {
  return createFalClient({
    credentials: 'key-id:secret',
    suppressLocalCredentialsWarning: true,
    requestMiddleware: async ({ url, ...request }) => ({
      ...request,
      url: url.replace('https://queue.fal.run', imitationUrl(sandbox, 'fal', script)),
    }),
  });
}

suite('the official client against the imitation of fal', { concurrency: true }, () => {
  test('a request is followed to its pictures', async (t) => {
    const fal = clientOf(await sandboxFor(t));
    const seen: string[] = [];
    const { data, requestId } = await fal.subscribe(FLUX, {
      input: { prompt: PROMPT, num_images: 2, image_size: { width: 512, height: 256 } },
      pollInterval: 20,
      onQueueUpdate: ({ status }) => seen.push(status),
    });
    assert.equal(seen.at(-1), 'COMPLETED');
    const [picture] = data.images;
    assert.deepEqual([data.images.length, picture?.width, picture?.height], [2, 512, 256]);
    assert.equal((await fetch(picture?.url ?? '')).status, 200);
    assert.deepEqual(data.has_nsfw_concepts, [false, false]);
    assert.ok(requestId !== '');
  });

  test('a request is looked up, and given up', async (t) => {
    const sandbox = await sandboxFor(t);
    const fal = clientOf(sandbox, 'queued:30');
    const { request_id: requestId, status_url: url } = await fal.queue.submit(FLUX, { input: { prompt: PROMPT } });
    assert.ok(url.endsWith(`/fal-ai/flux/requests/${requestId}/status`));
    assert.equal((await fal.queue.status(FLUX, { requestId })).status, 'IN_QUEUE');
    await fal.queue.cancel(FLUX, { requestId });
    assert.equal((await fal.queue.status(FLUX, { requestId })).status, 'COMPLETED');
    await assert.rejects(
      fal.queue.result(FLUX, { requestId }),
      (error) => error instanceof ApiError && error.status === 499,
    );
    assert.equal((await countOf(sandbox.url, `fal/${FLUX}`)).charged, 0);
  });

  test('a block is COMPLETED, and an error at the result', async (t) => {
    const fal = clientOf(await sandboxFor(t), 'moderated');
    const asked = fal.subscribe(FLUX, { input: { prompt: PROMPT }, pollInterval: 20 });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof ValidationError);
      return error.fieldErrors[0]?.type === 'content_policy_violation';
    });
  });

  test('a webhook tells the pictures, or the error', async (t) => {
    const sandbox = await sandboxFor(t);
    for (const [script, said] of [
      ['ok', 'OK'],
      ['moderated', 'ERROR'],
    ] as const) {
      const { url, received } = await letterBox(t);
      const { request_id: id } = await clientOf(sandbox, script).queue.submit(FLUX, {
        ...{ input: { prompt: PROMPT }, webhookUrl: url },
      });
      const { request_id: told, status, payload } = JSON.parse((await received).body);
      assert.deepEqual([told, status], [id, said]);
      assert.ok(script === 'ok' ? payload.images.length === 1 : payload.detail[0].type === 'content_policy_violation');
    }
  });

  test('a locked account is a 403 with its words', async (t) => {
    const fal = clientOf(await sandboxFor(t), '402');
    const asked = fal.queue.submit(FLUX, { input: { prompt: PROMPT } });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof ApiError);
      return error.status === 403 && /Exhausted balance/.test(JSON.stringify(error.body));
    });
  });
});

/** What goes wrong, what the adapter makes of it, and what is charged for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['quota', 'billing', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['404', 'not_found', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['500', 'server', 'failed', 0],
  ['503', 'server', 'ambiguous', 0],
  ['502-html', 'server', 'ambiguous', 1],
  ['moderated', 'policy', 'rejected', 0],
  ['moderated-output', 'policy', 'completed', 1],
  ['nsfw-flag', 'policy', 'completed', 1],
  ['empty', 'empty', 'completed', 1],
  ['no-data', 'empty', 'completed', 1],
  ['gone:0.1', 'not_found', 'ambiguous', 1],
  ['submit-lost', 'network', 'ambiguous', 1],
  ['expired-url', 'corrupt', 'completed', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of fal', { concurrency: true }, () => {
  test('two pictures of a size are one request', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = {
      model: 'fal-ai/flux/schnell',
      prompt: PROMPT,
      n: 2,
      size: '512x256',
      outputFormat: 'png',
      seed: 7,
    } as const;
    const { images, cost, paidAttempts } = await askAdapter('fal', imitationUrl(sandbox, 'fal'), asked);
    const [picture] = images;
    assert.deepEqual([picture?.asset.width, picture?.asset.height, picture?.mime], [512, 256, 'image/png']);
    assert.deepEqual([images.length, paidAttempts, cost.usd], [2, 1, 0.006]);
    assert.equal((await countOf(sandbox.url, 'fal/fal-ai/flux/schnell')).charged, 2);
  });

  test('a ratio is a ratio', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'fal');
    const asked = { model: 'fal-ai/nano-banana', prompt: PROMPT, size: '1536x864' };
    const { images } = await askAdapter('fal', baseUrl, asked);
    const [picture] = images;
    assert.ok(picture && Math.abs(picture.asset.width / picture.asset.height - 16 / 9) < 0.05);
  });

  test('what is not billed is tried again: a limit, and a failure of which fal says so', async (t) => {
    for (const script of ['429-concurrency,ok', 'failed,ok']) {
      const baseUrl = imitationUrl(await sandboxFor(t), 'fal', script);
      const { attempts, paidAttempts } = await askAdapter('fal', baseUrl, { model: FLUX, prompt: PROMPT });
      assert.deepEqual([attempts, paidAttempts], [2, 1]);
    }
  });

  test('a download that fails is tried again, and not paid again', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'fal', 'flaky-download:1');
    assert.equal((await askAdapter('fal', baseUrl, { model: FLUX, prompt: PROMPT })).paidAttempts, 1);
  });

  test('edits are taken by the apps that edit', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'fal');
    const { images } = await askAdapter('fal', baseUrl, { model: FLUX, prompt: PROMPT, outputFormat: 'png' });
    const [picture] = images;
    assert.ok(picture);
    const bytes = await picture.bytes();
    const one = { prompt: PROMPT, images: [picture.asset] };
    const models = [
      'fal-ai/nano-banana',
      'fal-ai/flux-pro/kontext',
      'fal-ai/flux-2-pro',
      'fal-ai/recraft/v3/text-to-image',
    ];
    for (const model of [FLUX, ...models, 'fal-ai/bytedance/seedream/v4/text-to-image']) {
      const taken = await sendEdit('fal', { baseUrl, model }, one, bytes);
      assert.deepEqual([taken.status, taken.body.includes('request_id')], [200, true], `${model}: ${taken.body}`);
    }
    const masked = await sendEdit(
      'fal',
      { baseUrl, model: 'fal-ai/fast-sdxl' },
      { ...one, mask: picture.asset },
      bytes,
    );
    assert.equal(masked.status, 200, masked.body);
  });
});

suite('what goes wrong at the imitation of fal', { concurrency: true }, () => {
  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: FLUX, prompt: PROMPT };
      const failure = await failureOfAdapter('fal', imitationUrl(sandbox, 'fal', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.ok(!failure.message.includes(PROMPT), 'the prompt came back in the message');
      assert.equal((await countOf(sandbox.url, `fal/${FLUX}`)).charged, charged);
    });
  }

  test('a cancellation is passed on, and fal does not say what became of it', async (t) => {
    const sandbox = await sandboxFor(t);
    const stop = new AbortController();
    const asked = { model: FLUX, prompt: PROMPT, signal: stop.signal };
    const ended = failureOfAdapter('fal', imitationUrl(sandbox, 'fal', 'queued:30'), asked);
    setTimeout(() => stop.abort(), 500);
    const failure = await ended;
    assert.deepEqual([failure.kind, failure.cancel, failure.certainty], ['canceled', 'unconfirmed', 'ambiguous']);
    assert.equal((await countOf(sandbox.url, `fal/${FLUX}`)).charged, 0);
  });
});
