import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Sandbox } from '@onetake/sandbox';
import Replicate, { type ApiError, validateWebhook } from 'replicate';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { type Letter, letterBox } from '../rig/letter-box.ts';
import { walkSubmit } from '../rig/steps.ts';

const PROMPT = 'a lighthouse';
const FLUX = 'black-forest-labs/flux-schnell';
const SDXL = 'stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc';

function clientOf(sandbox: Sandbox, script?: string): Replicate {
  return new Replicate({ auth: 'key', baseUrl: imitationUrl(sandbox, 'replicate/v1', script) });
}

suite('the official client against the imitation of Replicate', { concurrency: true }, () => {
  test('a run that is waited for, of a model and of a version', async (t) => {
    const replicate = clientOf(await sandboxFor(t));
    const output = await replicate.run(FLUX, { input: { prompt: PROMPT, num_outputs: 2 } });
    assert.ok(Array.isArray(output) && output.length === 2);
    const [link] = output;
    assert.match((await fetch(String(link))).headers.get('content-type') ?? '', /^image\/webp/);
    const polled = await replicate.run(SDXL, { input: { prompt: PROMPT }, wait: { mode: 'poll', interval: 50 } });
    assert.ok(Array.isArray(polled) && polled.length === 1);
  });

  test('a prediction is looked up, and given up before and while it runs', async (t) => {
    const sandbox = await sandboxFor(t);
    const input = { prompt: PROMPT };
    const queued = clientOf(sandbox, 'queued:30');
    const { id } = await queued.predictions.create({ model: FLUX, input });
    assert.equal((await queued.predictions.get(id)).status, 'starting');
    assert.equal((await queued.predictions.cancel(id)).status, 'aborted');
    const slow = clientOf(sandbox, 'slow:30');
    const running = await slow.predictions.create({ model: FLUX, input });
    await until(async () => (await slow.predictions.get(running.id)).logs?.includes('%|'));
    assert.equal((await slow.predictions.cancel(running.id)).status, 'canceled');
    assert.equal((await countOf(sandbox.url, `replicate/${FLUX}`)).charged, 1);
  });

  test('a block is a failed prediction with its code', async (t) => {
    const replicate = clientOf(await sandboxFor(t), 'moderated');
    await assert.rejects(replicate.run(FLUX, { input: { prompt: PROMPT } }), /flagged as sensitive.*\(E005\)/);
  });

  test('refusals have their status and their words', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = (script: string | undefined, input: object) =>
      clientOf(sandbox, script).predictions.create({ model: FLUX, input });
    const withStatus = (status: number, words: RegExp) => (error: ApiError) =>
      error.response.status === status && words.test(error.message);
    await assert.rejects(asked('402', { prompt: PROMPT }), withStatus(402, /insufficient credit/));
    await assert.rejects(asked(undefined, { prompt: PROMPT, num_outputs: 9 }), withStatus(422, /num_outputs/));
    await assert.rejects(asked(undefined, { prompt: PROMPT, size: '1x1' }), withStatus(422, /size is not allowed/));
  });

  test('an uploaded file is used by its link', async (t) => {
    const replicate = clientOf(await sandboxFor(t));
    const [made] = await linksOf(replicate.run(FLUX, { input: { prompt: PROMPT, output_format: 'png' } }));
    const bytes = await (await fetch(made ?? '')).arrayBuffer();
    const image = new Blob([bytes], { type: 'image/png' });
    const edited = await replicate.run('black-forest-labs/flux-dev', { input: { prompt: 'with a hat', image } });
    assert.equal((await linksOf(Promise.resolve(edited))).length, 1);
  });

  test('a webhook is signed as the client checks it', async (t) => {
    const replicate = clientOf(await sandboxFor(t));
    const { url, received } = await letterBox(t);
    const { id } = await replicate.predictions.create({
      ...{ model: FLUX, input: { prompt: PROMPT }, webhook: url },
      webhook_events_filter: ['completed'],
    });
    const letter = await received;
    const { key } = await replicate.webhooks.default.secret.get();
    assert.equal(JSON.parse(letter.body).id, id);
    assert.equal(await validateWebhook({ ...signed(letter), body: letter.body, secret: key }), true);
  });
});

function signed({ headers }: Letter): { id: string; timestamp: string; signature: string } {
  const read = (name: string) => headers[`webhook-${name}`] ?? '';
  return { id: read('id'), timestamp: read('timestamp'), signature: read('signature') };
}

async function linksOf(output: Promise<object>): Promise<readonly string[]> {
  const links = await output;
  assert.ok(Array.isArray(links));
  return links.map(String);
}

async function until(isSo: () => Promise<boolean | undefined>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 25));
}

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
  ['moderated', 'policy', 'failed', 0],
  ['moderated-output', 'policy', 'failed', 1],
  ['nsfw-flag', 'policy', 'completed', 1],
  ['empty', 'empty', 'completed', 1],
  ['failed', 'server', 'failed', 1],
  ['gone:0.1', 'not_found', 'ambiguous', 1],
  ['submit-lost', 'network', 'ambiguous', 1],
  ['expired-url', 'corrupt', 'completed', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of Replicate', { concurrency: true }, () => {
  test('two pictures are one prediction', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = { model: FLUX, prompt: PROMPT, n: 2, aspectRatio: '16:9', outputFormat: 'jpeg' } as const;
    const { images, cost, paidAttempts } = await askAdapter('replicate', imitationUrl(sandbox, 'replicate/v1'), asked);
    const [picture] = images;
    assert.deepEqual([images.length, picture?.mime, paidAttempts, cost.usd], [2, 'image/jpeg', 1, 0.006]);
    assert.ok(picture && picture.asset.width > picture.asset.height);
    assert.equal((await countOf(sandbox.url, `replicate/${FLUX}`)).charged, 2);
  });

  test('a version has its pixels', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'replicate/v1');
    const { images } = await askAdapter('replicate', baseUrl, {
      model: SDXL,
      prompt: PROMPT,
      size: '768x512',
      seed: 7,
    });
    const [picture] = images;
    assert.deepEqual([picture?.asset.width, picture?.asset.height], [768, 512]);
  });

  test('a limit told in prose is waited for, and costs nothing', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'replicate/v1', '429:1,ok');
    const { attempts, paidAttempts } = await askAdapter('replicate', baseUrl, { model: FLUX, prompt: PROMPT });
    assert.deepEqual([attempts, paidAttempts], [2, 1]);
  });

  test('a download that fails is tried again, and not paid again', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'replicate/v1', 'flaky-download:1');
    assert.equal((await askAdapter('replicate', baseUrl, { model: FLUX, prompt: PROMPT })).paidAttempts, 1);
  });

  test('edits are taken, under the name each model has for a picture', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'replicate/v1');
    const { images } = await askAdapter('replicate', baseUrl, { model: FLUX, prompt: PROMPT, outputFormat: 'png' });
    const [picture] = images;
    assert.ok(picture);
    const bytes = await picture.bytes();
    const { asset } = picture;
    const one = { prompt: PROMPT, images: [asset] };
    const models = ['black-forest-labs/flux-dev', 'black-forest-labs/flux-kontext-pro', 'black-forest-labs/flux-2-pro'];
    for (const model of [...models, 'google/nano-banana', 'bytedance/seedream-4', 'ideogram-ai/ideogram-4-5', SDXL]) {
      const taken = await sendEdit('replicate', { baseUrl, model }, one, bytes);
      assert.equal(taken.status, 201, `${model}: ${taken.body}`);
    }
    const masked = await sendEdit('replicate', { baseUrl, model: SDXL }, { ...one, mask: asset }, bytes);
    assert.equal(masked.status, 201, masked.body);
    const large = Buffer.concat([bytes], 300_000);
    const heavy = { operation: 'edit', prompt: PROMPT, n: 1, images: [{ ...asset, bytes: large.length }] } as const;
    const { paths, progress } = await walkSubmit('replicate', { baseUrl, model: 'google/nano-banana' }, heavy, large);
    assert.deepEqual([paths, progress.kind], [['/files', '/models/google/nano-banana/predictions'], 'waiting']);
  });
});

suite('what goes wrong at the imitation of Replicate', { concurrency: true }, () => {
  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: FLUX, prompt: PROMPT };
      const failure = await failureOfAdapter('replicate', imitationUrl(sandbox, 'replicate/v1', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, `replicate/${FLUX}`)).charged, charged);
    });
  }

  test('a cancellation is passed on; only what never began is known to be free', async (t) => {
    for (const [script, certainty, charged] of [
      ['queued:30', 'rejected', 0],
      ['slow:30', 'ambiguous', 1],
    ] as const) {
      const sandbox = await sandboxFor(t);
      const stop = new AbortController();
      const asked = { model: FLUX, prompt: PROMPT, signal: stop.signal };
      const ended = failureOfAdapter('replicate', imitationUrl(sandbox, 'replicate/v1', script), asked);
      setTimeout(() => stop.abort(), 500);
      const failure = await ended;
      assert.deepEqual([failure.kind, failure.cancel, failure.certainty], ['canceled', 'confirmed', certainty]);
      assert.equal((await countOf(sandbox.url, `replicate/${FLUX}`)).charged, charged);
    }
  });
});
