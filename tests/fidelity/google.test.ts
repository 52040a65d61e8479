import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ApiError, FinishReason, GoogleGenAI } from '@google/genai';
import type { Sandbox } from '@onetake/sandbox';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';

const PROMPT = 'a lighthouse';
const MODEL = 'gemini-3.1-flash-image';

function clientOf(sandbox: Sandbox, script?: string): GoogleGenAI {
  return new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: imitationUrl(sandbox, 'google', script) } });
}

suite('the official client against the imitation of Google', { concurrency: true }, () => {
  test('a picture, among a text and a thought', async (t) => {
    const answer = await clientOf(await sandboxFor(t)).models.generateContent({
      model: MODEL,
      contents: PROMPT,
      config: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '16:9', imageSize: '1K' } },
    });
    const [candidate] = answer.candidates ?? [];
    const pictures = (candidate?.content?.parts ?? []).filter(({ inlineData, thought }) => inlineData && !thought);
    assert.equal(pictures.length, 1);
    assert.ok(Buffer.from(pictures[0]?.inlineData?.data ?? '', 'base64').length > 100);
    assert.equal(candidate?.finishReason, FinishReason.STOP);
    assert.ok((answer.usageMetadata?.totalTokenCount ?? 0) > 0 && answer.responseId);
  });

  test('a blocked prompt and a blocked picture are answers without one', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = (script: string) =>
      clientOf(sandbox, script).models.generateContent({ model: MODEL, contents: PROMPT });
    assert.equal((await asked('policy')).promptFeedback?.blockReason, 'PROHIBITED_CONTENT');
    assert.equal((await asked('policy-output')).candidates?.[0]?.finishReason, FinishReason.IMAGE_SAFETY);
  });

  test('refusals have their status', async (t) => {
    const sandbox = await sandboxFor(t);
    for (const [script, status, words] of [
      ['401', 400, /API_KEY_INVALID/],
      ['quota', 429, /PerDay/],
      ['retired', 404, /no longer available/],
    ] as const) {
      const asked = clientOf(sandbox, script).models.generateContent({ model: MODEL, contents: PROMPT });
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof ApiError);
        return error.status === status && words.test(error.message);
      });
    }
  });

  test('models are listed', async (t) => {
    const names: string[] = [];
    for await (const { name } of await clientOf(await sandboxFor(t)).models.list()) names.push(name ?? '');
    assert.ok(names.includes(`models/${MODEL}`));
  });
});

/** What goes wrong, what the adapter makes of it, and what is charged for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['quota', 'quota', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['404', 'not_found', 'rejected', 0],
  ['retired', 'retired', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['409', 'server', 'ambiguous', 0],
  ['500', 'server', 'failed', 0],
  ['503', 'server', 'ambiguous', 0],
  ['error-in-200', 'server', 'failed', 0],
  ['502-html', 'server', 'ambiguous', 1],
  ['policy', 'policy', 'rejected', 0],
  ['policy-output', 'policy', 'completed', 1],
  ['empty', 'server', 'failed', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['truncated', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of Google', { concurrency: true }, () => {
  test('a picture in the ratio that was asked for, at the price of one', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'google/v1beta');
    const { images, cost } = await askAdapter('google', baseUrl, { model: MODEL, prompt: PROMPT, size: '1536x1024' });
    const [picture] = images;
    assert.ok(picture && Math.abs(picture.asset.width / picture.asset.height - 1.5) < 0.05);
    assert.deepEqual([images.length, cost.usd, cost.basis], [1, 0.067, 'per-image']);
  });

  test('two pictures are two calls', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = { model: MODEL, prompt: PROMPT, n: 2 };
    const { images } = await askAdapter('google', imitationUrl(sandbox, 'google/v1beta'), asked);
    assert.equal(images.length, 2);
    assert.equal((await countOf(sandbox.url, `google/${MODEL}`)).charged, 2);
  });

  test('a rate is waited for as long as its RetryInfo says, and an overload is tried again', async (t) => {
    for (const script of ['429:1,ok', '503-overloaded,ok']) {
      const baseUrl = imitationUrl(await sandboxFor(t), 'google/v1beta', script);
      const { attempts, paidAttempts } = await askAdapter('google', baseUrl, { model: MODEL, prompt: PROMPT });
      assert.deepEqual([attempts, paidAttempts], [2, 1]);
    }
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: MODEL, prompt: PROMPT };
      const failure = await failureOfAdapter('google', imitationUrl(sandbox, 'google/v1beta', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, `google/${MODEL}`)).charged, charged);
    });
  }

  test('an edit goes along as base64', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'google/v1beta');
    const { images } = await askAdapter('google', baseUrl, { model: MODEL, prompt: PROMPT });
    const [picture] = images;
    assert.ok(picture);
    const request = { prompt: PROMPT, images: [picture.asset, picture.asset] };
    const edited = await sendEdit('google', { baseUrl, model: MODEL }, request, await picture.bytes());
    assert.ok(edited.status === 200 && edited.body.includes('"finishReason":"STOP"'), edited.body.slice(0, 500));
  });
});
