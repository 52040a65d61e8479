import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { askAdapter, failureOfAdapter, imitationUrl, sandboxFor } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { walkSubmit } from '../rig/steps.ts';

/** Neither has an official client for pictures; the imitations answer what their documentation prints. */
const PROMPT = 'a lighthouse';

type Wrong = readonly (readonly [script: string, kind: string, certainty: string, charged: number])[];

const BOTH: Wrong = [
  ['401', 'authentication', 'rejected', 0],
  ['402', 'billing', 'rejected', 0],
  ['403', 'permission', 'rejected', 0],
  ['404', 'not_found', 'rejected', 0],
  ['400', 'invalid', 'rejected', 0],
  ['policy', 'policy', 'rejected', 0],
  ['500', 'server', 'failed', 0],
  ['503', 'server', 'ambiguous', 0],
  ['error-in-200', 'server', 'failed', 0],
  ['moderated', 'policy', 'rejected', 0],
  ['failed', 'server', 'failed', 0],
  ['gone:0', 'not_found', 'ambiguous', 1],
  ['reset-after-accept', 'network', 'ambiguous', 1],
  ['corrupt', 'corrupt', 'completed', 1],
];

const PROVIDERS: Readonly<Record<string, { readonly model: string; readonly wrong: Wrong }>> = {
  foxapi: {
    model: 'gemini-3-pro-image-preview',
    wrong: [...BOTH, ['quota', 'billing', 'rejected', 0], ['moderated-output', 'policy', 'rejected', 0]],
  },
  evolink: {
    model: 'gpt-image-1.5',
    wrong: [...BOTH, ['quota', 'quota', 'rejected', 0], ['moderated-output', 'policy', 'completed', 1]],
  },
};

// Both ask for three seconds between looks, so everything here waits at the same time.
suite('the adapters against the imitations of the aggregators', { concurrency: true }, () => {
  for (const [kind, { model, wrong }] of Object.entries(PROVIDERS)) {
    suite(kind, { concurrency: true }, () => {
      for (const [script, expected, certainty, charged] of wrong) {
        test(`${script} is ${expected}, ${certainty}, and charged ${charged}`, async (t) => {
          const sandbox = await sandboxFor(t);
          const asked = { model, prompt: PROMPT };
          const failure = await failureOfAdapter(kind, imitationUrl(sandbox, `${kind}/v1`, script), asked);
          assert.deepEqual([failure.kind, failure.certainty], [expected, certainty], failure.message);
          assert.equal((await countOf(sandbox.url, `${kind}/${model}`)).charged, charged);
        });
      }

      test('a rate is waited for as long as it says, and costs nothing', async (t) => {
        const baseUrl = imitationUrl(await sandboxFor(t), `${kind}/v1`, '429:1,ok');
        const { attempts, paidAttempts } = await askAdapter(kind, baseUrl, { model, prompt: PROMPT });
        assert.deepEqual([attempts, paidAttempts], [2, 1]);
      });
    });
  }

  suite('what the two do not share', { concurrency: true }, () => {
    test('FoxAPI: several pictures of a ratio are one task', async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: 'wan-2.7-image', prompt: PROMPT, n: 2, aspectRatio: '16:9' };
      const { images } = await askAdapter('foxapi', imitationUrl(sandbox, 'foxapi/v1'), asked);
      const { width = 0, height = 1 } = images[0]?.asset ?? {};
      assert.deepEqual([images.length, (width / height).toFixed(1)], [2, '1.8']);
      assert.deepEqual(await countOf(sandbox.url, 'foxapi/wan-2.7-image'), { requests: 1, charged: 2 });
    });

    test('FoxAPI: references are uploaded before anything is paid for', async (t) => {
      const baseUrl = imitationUrl(await sandboxFor(t), 'foxapi/v1');
      const { images } = await askAdapter('foxapi', baseUrl, { model: 'phota-image', prompt: PROMPT });
      const [picture] = images;
      assert.ok(picture);
      const request = { operation: 'edit', prompt: PROMPT, n: 1, images: [picture.asset, picture.asset] } as const;
      const context = { baseUrl, model: 'gemini-3-pro-image-preview' };
      const { paths, progress } = await walkSubmit('foxapi', context, request, await picture.bytes());
      assert.deepEqual(paths, ['/files/upload/stream', '/files/upload/stream', '/images/generations']);
      assert.equal(progress.kind, 'waiting');
    });

    test('EvoLink: references and a mask are uploaded before anything is paid for', async (t) => {
      const baseUrl = imitationUrl(await sandboxFor(t), 'evolink/v1');
      const { images } = await askAdapter('evolink', baseUrl, { model: 'z-image-turbo', prompt: PROMPT });
      const [picture] = images;
      assert.ok(picture);
      const { asset } = picture;
      const request = { operation: 'edit', prompt: PROMPT, n: 1, images: [asset], mask: asset } as const;
      const context = { baseUrl, model: 'gpt-4o-image' };
      const { paths, progress } = await walkSubmit('evolink', context, request, await picture.bytes());
      assert.deepEqual(paths, ['/files/upload/stream', '/files/upload/stream', '/images/generations']);
      assert.equal(progress.kind, 'waiting');
    });

    test('EvoLink: several pictures of a size are one task', async (t) => {
      const sandbox = await sandboxFor(t);
      const asked = { model: 'gpt-image-2', prompt: PROMPT, n: 2, size: '1024x768', quality: 'low' };
      const { images } = await askAdapter('evolink', imitationUrl(sandbox, 'evolink/v1'), asked);
      assert.deepEqual([images.length, images[0]?.asset.width, images[0]?.asset.height], [2, 1024, 768]);
      assert.deepEqual(await countOf(sandbox.url, 'evolink/gpt-image-2'), { requests: 1, charged: 2 });
    });
  });
});
