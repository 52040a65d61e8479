import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Leonardo } from '@leonardo-ai/sdk';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { walkSubmit } from '../rig/steps.ts';

const PROMPT = 'a lighthouse';
const PATH = 'leonardo/api/rest/v1';
const PHOENIX = 'de7d3faf-762f-48e0-b3b7-9d0ac3a3fcf3';

function official(serverURL: string): Leonardo {
  return new Leonardo({ bearerAuth: 'imitation-key', serverURL });
}

suite('the official client against the imitation of Leonardo', { concurrency: true }, () => {
  test('a generation is submitted, looked up, and done', async (t) => {
    const client = official(imitationUrl(await sandboxFor(t), PATH));
    const asked = { prompt: PROMPT, modelId: PHOENIX, numImages: 2, width: 512, height: 512, contrast: 3.5 };
    const { object } = await client.image.createGeneration(asked);
    const id = object?.sdGenerationJob?.generationId ?? '';
    for (;;) {
      // It is null at first.
      const found = (await client.image.getGenerationById(id)).object?.generationsByPk;
      if (found?.status === 'COMPLETE') {
        assert.equal(found.generatedImages?.length, 2);
        return assert.match(found.generatedImages?.[0]?.url ?? '', /\/files\//);
      }
      await sleep(25);
    }
  });

  test('an upload gets a form, and the models are listed', async (t) => {
    const client = official(imitationUrl(await sandboxFor(t), PATH));
    const { object } = await client.initImages.uploadInitImage({ extension: 'png' });
    assert.ok(JSON.parse(object?.uploadInitImage?.fields ?? '').key);
    const { object: listed } = await client.models.listPlatformModels();
    assert.ok(listed?.customModels?.some(({ id }) => id === PHOENIX));
  });

  test('a wrong field is an error with its status', async (t) => {
    const client = official(imitationUrl(await sandboxFor(t), PATH));
    const asked = client.image.createGeneration({ prompt: PROMPT, modelId: PHOENIX, width: 513 });
    await assert.rejects(asked, { statusCode: 400 });
  });
});

/** What goes wrong, what the adapter makes of it, and what Leonardo charges for it. */
const WRONG: readonly (readonly [script: string, kind: string, certainty: string, charged: number])[] = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['policy', 'policy', 'rejected', 0],
  ['500', 'server', 'failed', 0],
  ['503', 'server', 'ambiguous', 0],
  ['error-in-200', 'server', 'failed', 0],
  ['failed', 'server', 'failed', 0],
  ['moderated-output', 'policy', 'completed', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

suite('the adapter against the imitation of Leonardo', { concurrency: true }, () => {
  test('several pictures of the size that was asked for are one generation', async (t) => {
    const sandbox = await sandboxFor(t);
    const asked = { model: 'phoenix-1.0', prompt: PROMPT, n: 3, size: '1472x832' };
    const { images } = await askAdapter('leonardo', imitationUrl(sandbox, PATH), asked);
    assert.deepEqual([images.length, images[0]?.asset.width, images[0]?.asset.height], [3, 1472, 832]);
    assert.deepEqual(await countOf(sandbox.url, `leonardo/${PHOENIX}`), { requests: 1, charged: 3 });
  });

  test('a picture that is marked unsafe is delivered, and marked', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), PATH, 'nsfw-flag');
    const { images } = await askAdapter('leonardo', baseUrl, { model: 'phoenix-1.0', prompt: PROMPT });
    assert.deepEqual(
      images.map(({ flagged }) => flagged),
      ['nsfw'],
    );
  });

  test('a full queue is waited for, and costs nothing', async (t) => {
    const baseUrl = imitationUrl(await sandboxFor(t), PATH, '429-concurrency,ok');
    const { attempts, paidAttempts } = await askAdapter('leonardo', baseUrl, { model: 'lightning-xl', prompt: PROMPT });
    assert.deepEqual([attempts, paidAttempts], [2, 1]);
  });

  for (const [script, kind, certainty, charged] of WRONG) {
    test(`${script} is ${kind}, ${certainty}, and charged ${charged}`, async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: 'phoenix-1.0', prompt: PROMPT };
      const failure = await failureOfAdapter('leonardo', imitationUrl(sandbox, PATH, script), asked);
      assert.deepEqual([failure.kind, failure.certainty], [kind, certainty], failure.message);
      assert.equal((await countOf(sandbox.url, `leonardo/${PHOENIX}`)).charged, charged);
    });
  }

  test('references are uploaded with the form, without the key, before anything is paid for', async (t) => {
    const sandbox = await sandboxFor(t);
    const baseUrl = imitationUrl(sandbox, PATH);
    const { images } = await askAdapter('leonardo', baseUrl, { model: 'lightning-xl', prompt: PROMPT });
    const [picture] = images;
    assert.ok(picture);
    const request = { operation: 'edit', prompt: PROMPT, n: 1, images: [picture.asset, picture.asset] } as const;
    const context = { baseUrl, model: 'flux-kontext-pro' };
    const { paths, progress } = await walkSubmit('leonardo', context, request, await picture.bytes());
    assert.equal(progress.kind, 'waiting');
    assert.deepEqual([paths.length, paths[0], paths[2], paths[4]], [5, '/init-image', '/init-image', '/generations']);
  });
});
