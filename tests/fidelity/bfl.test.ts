import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createBlackForestLabs } from '@ai-sdk/black-forest-labs';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';

const PROMPT = 'a lighthouse';
const CALL = { n: 1, size: undefined, aspectRatio: undefined, seed: undefined, files: undefined, mask: undefined };

suite('the official client against the imitation of Black Forest Labs', { concurrency: true }, () => {
  test('a picture with what it cost', async (t) => {
    const baseURL = imitationUrl(await sandboxFor(t), 'bfl/v1');
    const model = createBlackForestLabs({ apiKey: 'key', baseURL }).image('flux-2-pro');
    const { images, providerMetadata } = await model.doGenerate({ ...CALL, prompt: PROMPT, providerOptions: {} });
    const [picture] = images;
    assert.ok(picture instanceof Uint8Array && picture.length > 100);
    assert.ok(JSON.stringify(providerMetadata).includes('"cost":'));
  });

  test('no credits is an error with its status and words', async (t) => {
    const baseURL = imitationUrl(await sandboxFor(t), 'bfl/v1', '402');
    const model = createBlackForestLabs({ apiKey: 'key', baseURL }).image('flux-2-pro');
    const asked = model.doGenerate({ ...CALL, prompt: PROMPT, providerOptions: {} });
    await assert.rejects(Promise.resolve(asked), { statusCode: 402, message: /credits/i });
  });

  test('a job that failed ends', async (t) => {
    const baseURL = imitationUrl(await sandboxFor(t), 'bfl/v1', 'failed');
    const model = createBlackForestLabs({ apiKey: 'key', baseURL }).image('flux-2-pro');
    const asked = model.doGenerate({ ...CALL, prompt: PROMPT, providerOptions: {} });
    await assert.rejects(Promise.resolve(asked), /generation failed/);
  });
});

/** What goes wrong, what the adapter makes of it, and what Black Forest Labs charges for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['500', 'server', 'failed', 0],
  ['moderated', 'policy', 'rejected', 0],
  ['moderated-output', 'policy', 'rejected', 0],
  ['failed', 'server', 'failed', 0],
  ['gone:0', 'not_found', 'ambiguous', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of Black Forest Labs', { concurrency: true }, () => {
  test('a picture of the size that was asked for, at the price that was told', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'bfl');
    const { images, cost } = await askAdapter('bfl', baseUrl, {
      ...{ model: 'flux-2-pro', prompt: PROMPT, size: '1024x768', seed: 7, outputFormat: 'png' },
    });
    const [picture] = images;
    assert.deepEqual([picture?.asset.width, picture?.asset.height, picture?.mime], [1024, 768, 'image/png']);
    assert.deepEqual([cost.usd, cost.basis, cost.possibleCharges], [0.04, 'reported', 0]);
  });

  test('two pictures are two jobs', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = { model: 'flux-kontext-pro', prompt: PROMPT, n: 2 };
    const { images, cost } = await askAdapter('bfl', imitationUrl(sandbox, 'bfl'), asked);
    assert.deepEqual([images.length, cost.usd], [2, 0.08]);
    assert.equal((await countOf(sandbox.url, 'bfl/flux-kontext-pro')).charged, 2);
  });

  test('a full account is waited for, and costs nothing', async (t) => {
    const sandbox = await sandboxFor(t);
    const baseUrl = imitationUrl(sandbox, 'bfl', '429-concurrency,ok');
    const { attempts, paidAttempts } = await askAdapter('bfl', baseUrl, { model: 'flux-2-klein-4b', prompt: PROMPT });
    assert.deepEqual([attempts, paidAttempts], [2, 1]);
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: 'flux-2-pro', prompt: PROMPT };
      const failure = await failureOfAdapter('bfl', imitationUrl(sandbox, 'bfl', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, 'bfl/flux-2-pro')).charged, charged);
    });
  }

  test('edits are taken: references of flux-2, and a mask of fill', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'bfl');
    const { images } = await askAdapter('bfl', baseUrl, { model: 'flux-2-pro', prompt: PROMPT });
    const [picture] = images;
    assert.ok(picture);
    const bytes = await picture.bytes();
    const { asset } = picture;
    const references = { prompt: PROMPT, images: [asset, asset] };
    const edited = await sendEdit('bfl', { baseUrl, model: 'flux-2-pro' }, references, bytes);
    assert.deepEqual([edited.status, edited.body.includes('polling_url')], [200, true], edited.body);
    const masked = { prompt: PROMPT, images: [asset], mask: asset };
    const filled = await sendEdit('bfl', { baseUrl, model: 'flux-pro-1.0-fill' }, masked, bytes);
    assert.equal(filled.status, 200, filled.body);
  });
});
