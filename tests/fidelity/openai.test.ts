import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import OpenAI from 'openai';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor, sendEdit } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';

const PROMPT = 'a lighthouse';
const MODEL = 'gpt-image-2';
const BACKGROUND = {
  model: 'gpt-5.6-luna',
  input: PROMPT,
  background: true,
  tools: [{ type: 'image_generation' as const, model: MODEL }],
};

suite('the official client against the imitation of OpenAI', { concurrency: true }, () => {
  test('a response in the background is made, looked up, and brings its picture', async (t) => {
    const openai = new OpenAI({
      apiKey: 'key',
      baseURL: imitationUrl(await sandboxFor(t), 'openai/v1'),
      maxRetries: 0,
    });
    let response = await openai.responses.create(BACKGROUND);
    for (let looks = 0; looks < 40 && response.status !== 'completed'; looks += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      response = await openai.responses.retrieve(response.id);
    }
    const [call] = response.output.filter((item) => item.type === 'image_generation_call');
    assert.ok((call?.result?.length ?? 0) > 100);
    assert.ok((response.tool_usage?.image_gen.output_tokens ?? 0) > 0);
  });

  test('a response is given up', async (t) => {
    const baseURL = imitationUrl(await sandboxFor(t), 'openai/v1', 'slow:20');
    const openai = new OpenAI({ apiKey: 'key', baseURL, maxRetries: 0 });
    const { id } = await openai.responses.create(BACKGROUND);
    assert.equal((await openai.responses.cancel(id)).status, 'cancelled');
    assert.equal((await openai.responses.retrieve(id)).status, 'cancelled');
  });

  test('what is refused is refused in its words', async (t) => {
    const baseURL = imitationUrl(await sandboxFor(t), 'openai/v1', 'quota');
    const openai = new OpenAI({ apiKey: 'key', baseURL, maxRetries: 0 });
    await assert.rejects(Promise.resolve(openai.responses.create(BACKGROUND)), { status: 429 });
    const image = openai.images.generate({ model: MODEL, prompt: PROMPT });
    await assert.rejects(Promise.resolve(image), { status: 429, code: 'insufficient_quota' });
  });
});

/** What goes wrong, what the adapter makes of it, and what is charged for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['quota', 'quota', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['500', 'server', 'failed', 0],
  ['moderated', 'policy', 'rejected', 0],
  ['moderated-output', 'policy', 'completed', 1],
  ['empty', 'policy', 'completed', 1],
  ['gone:0', 'not_found', 'ambiguous', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

suite('the adapter of background responses against the imitation of OpenAI', { concurrency: true }, () => {
  test('a picture, with what its tokens cost', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'openai/v1');
    const { images, cost } = await askAdapter('openai-responses', baseUrl, {
      ...{ model: MODEL, prompt: PROMPT, size: '1536x864', quality: 'low', outputFormat: 'webp', background: 'opaque' },
    });
    const [picture] = images;
    assert.deepEqual([picture?.asset.width, picture?.asset.height, picture?.mime], [1536, 864, 'image/webp']);
    assert.ok((cost.usd ?? 0) > 0);
    assert.equal(cost.basis, 'usage');
  });

  test('a cancellation is passed on, and whether it is billed is not known', async (t) => {
    const sandbox = await sandboxFor(t);
    const stop = new AbortController();
    const asked = { model: MODEL, prompt: PROMPT, signal: stop.signal };
    const ended = failureOfAdapter('openai-responses', imitationUrl(sandbox, 'openai/v1', 'slow:20'), asked);
    setTimeout(() => stop.abort(), 1_000);
    const failure = await ended;
    assert.deepEqual([failure.kind, failure.cancel, failure.certainty], ['canceled', 'confirmed', 'ambiguous']);
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: MODEL, prompt: PROMPT };
      const failure = await failureOfAdapter('openai-responses', imitationUrl(sandbox, 'openai/v1', script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, `openai/${MODEL}`)).charged, charged);
    });
  }

  test('edits are taken, in the background and at once', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), 'openai/v1');
    const { images } = await askAdapter('openai', baseUrl, { model: MODEL, prompt: PROMPT, n: 2, quality: 'low' });
    const [picture, ...others] = images;
    assert.ok(picture && others.length === 1);
    const bytes = await picture.bytes();
    const request = { prompt: PROMPT, images: [picture.asset, picture.asset] };
    const queued = await sendEdit('openai-responses', { baseUrl, model: MODEL }, request, bytes);
    assert.deepEqual([queued.status, queued.body.includes('"resp_')], [200, true], queued.body.slice(0, 300));
    const made = await sendEdit('openai', { baseUrl, model: MODEL }, request, bytes);
    assert.deepEqual([made.status, made.body.includes('b64_json')], [200, true], made.body.slice(0, 300));
  });
});
