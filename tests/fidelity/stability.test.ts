import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';

const PROMPT = 'a lighthouse';

/** What goes wrong, what the adapter makes of it, and what is charged for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['policy', 'policy', 'rejected', 0],
  ['policy-output', 'policy', 'completed', 1],
  ['500', 'server', 'failed', 0],
  ['502-html', 'server', 'ambiguous', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['truncated', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of Stability', { concurrency: true }, () => {
  test('a form makes a picture, with the ratio and the seed that were asked for', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'stability');
    const asked = { model: 'core', prompt: PROMPT, aspectRatio: '16:9', seed: 7, outputFormat: 'jpeg' };
    const { images, cost } = await askAdapter('stability', baseUrl, asked);
    const [picture] = images;
    assert.equal(picture?.mime, 'image/jpeg');
    assert.ok(picture && picture.asset.width > picture.asset.height);
    assert.deepEqual([cost.usd, cost.basis], [0.03, 'per-image']);
  });

  test('two pictures are two calls, each of its model', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = { model: 'sd3.5-medium', prompt: PROMPT, n: 2 };
    const { images } = await askAdapter('stability', imitationUrl(sandbox, 'stability'), asked);
    assert.equal(images.length, 2);
    assert.equal((await countOf(sandbox.url, 'stability/sd3.5-medium')).charged, 2);
  });

  test('a limit is waited for, and costs nothing', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'stability', '429:1,ok');
    const { attempts, paidAttempts } = await askAdapter('stability', baseUrl, { model: 'core', prompt: PROMPT });
    assert.deepEqual([attempts, paidAttempts], [2, 1]);
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: 'ultra', prompt: PROMPT };
      const failure = await failureOfAdapter('stability', imitationUrl(sandbox, 'stability', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, 'stability/ultra')).charged, charged);
    });
  }

  test('edits are taken: a picture with a strength, and a mask to fill', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'stability');
    const { images } = await askAdapter('stability', baseUrl, { model: 'core', prompt: PROMPT });
    const [picture] = images;
    assert.ok(picture);
    const bytes = await picture.bytes();
    const { asset } = picture;
    for (const model of ['ultra', 'sd3.5-large', 'inpaint']) {
      const request = { prompt: PROMPT, images: [asset], ...(model === 'inpaint' && { mask: asset }) };
      const { status, body } = await sendEdit('stability', { baseUrl, model }, request, bytes);
      assert.deepEqual([status, body.includes('SUCCESS')], [200, true], body.slice(0, 300));
    }
  });
});
