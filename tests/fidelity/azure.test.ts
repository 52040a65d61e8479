import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AzureOpenAI } from 'openai';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';

const PROMPT = 'a lighthouse';
const DEPLOYMENT = 'my-gpt-image-2';
const OLDER = '/openai/deployments?api-version=2025-04-01-preview';

suite('the official client against the imitation of Azure', { concurrency: true }, () => {
  test('a picture from a deployment', async (t) => {
    const endpoint = imitationUrl(await sandboxFor(t), 'azure');
    const azure = new AzureOpenAI({ endpoint, apiKey: 'key', apiVersion: '2025-04-01-preview', maxRetries: 0 });
    const { data = [] } = await azure.images.generate({ model: DEPLOYMENT, prompt: PROMPT });
    assert.ok((data[0]?.b64_json?.length ?? 0) > 100);
  });

  test('what is filtered is refused in its words', async (t) => {
    const endpoint = imitationUrl(await sandboxFor(t), 'azure', 'policy');
    const azure = new AzureOpenAI({ endpoint, apiKey: 'key', apiVersion: '2025-04-01-preview', maxRetries: 0 });
    const asked = azure.images.generate({ model: DEPLOYMENT, prompt: PROMPT });
    await assert.rejects(Promise.resolve(asked), { status: 400, code: 'content_filter' });
  });
});

/** What goes wrong, what the adapter makes of it, and what is charged for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['quota', 'quota', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['404', 'not_found', 'rejected', 0],
  ['policy', 'policy', 'rejected', 0],
  ['policy-output', 'policy', 'completed', 1],
  ['500', 'server', 'failed', 0],
  ['reset-after-accept', 'network', 'ambiguous', 1],
];

suite('the adapter against the imitation of Azure', { concurrency: true }, () => {
  for (const address of ['', '/openai/v1', OLDER]) {
    test(`a picture by the address azure${address}`, async (t) => {
      const baseUrl = `${imitationUrl(await sandboxFor(t), 'azure')}${address}`;
      const asked = { model: DEPLOYMENT, prompt: PROMPT, n: 2, size: '1024x1024', seed: 7 };
      assert.equal((await askAdapter('azure', baseUrl, asked)).images.length, 2);
    });
  }

  test('an Entra token goes in its own header', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'azure');
    const token = 'eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl';
    const { images } = await askAdapter('azure', baseUrl, { model: DEPLOYMENT, prompt: PROMPT }, token);
    assert.equal(images.length, 1);
  });

  test('a limit is waited for, and costs nothing', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'azure', '429:1,ok');
    const { attempts, paidAttempts } = await askAdapter('azure', baseUrl, { model: DEPLOYMENT, prompt: PROMPT });
    assert.deepEqual([attempts, paidAttempts], [2, 1]);
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: DEPLOYMENT, prompt: PROMPT };
      const failure = await failureOfAdapter('azure', imitationUrl(sandbox, 'azure', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, `azure/${DEPLOYMENT}`)).charged, charged);
    });
  }

  test('an edit is taken', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'azure');
    const { images } = await askAdapter('azure', baseUrl, { model: DEPLOYMENT, prompt: PROMPT });
    const [picture] = images;
    assert.ok(picture);
    const request = { prompt: PROMPT, images: [picture.asset] };
    const { status, body } = await sendEdit('azure', { baseUrl, model: DEPLOYMENT }, request, await picture.bytes());
    assert.deepEqual([status, body.includes('b64_json')], [200, true], body.slice(0, 300));
  });
});
