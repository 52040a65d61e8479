import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examined } from './examine.ts';
import type { Asset } from './images/asset.ts';
import type { GeneratedImage } from './journal.ts';
import type { OutputMismatch, SuspectPolicy } from './plan.ts';
import type { ImageRequest } from './request.ts';
import type { Look, Unseen } from './suspects.ts';
import {
  SAMPLE_ASSET,
  SAMPLE_BLACK_LOOK,
  SAMPLE_LOOK,
  samplePlan,
  sampleRequest,
  sampleTarget,
} from './testing/samples.ts';

interface Given {
  readonly suspect?: SuspectPolicy;
  readonly request?: Partial<ImageRequest>;
  readonly sent?: Partial<ImageRequest>;
  readonly look?: () => Promise<Look | Unseen>;
}

async function codes(image: Partial<GeneratedImage>, { suspect, request, sent, look }: Given) {
  const plan = { ...samplePlan(['a'], suspect ? { suspect } : {}), request: sampleRequest(request) };
  const target = sampleTarget('a', sent ? { request: sampleRequest(sent) } : {});
  const environment = look ? { look } : {};
  const [told] = await examined([{ asset: SAMPLE_ASSET, ...image }], { plan, target, environment });
  return told?.suspect?.map(({ code }) => code);
}

test('what needs no decoding is judged for everybody; a look is taken where the policy asks for one', async () => {
  let looks = 0;
  const look = async () => {
    looks += 1;
    return SAMPLE_BLACK_LOOK;
  };
  assert.deepEqual(await codes({ flagged: 'nsfw' }, { request: { outputFormat: 'webp' }, look }), [
    'flagged',
    'wrong_type',
  ]);
  assert.equal(looks, 0);
  for (const suspect of ['accept', 'fail', 'retry_new_seed'] as const) {
    assert.deepEqual(await codes({}, { suspect, look }), ['black', 'placeholder']);
  }
  assert.equal(looks, 3);
});

test('a picture without doubts says nothing of them', async () => {
  assert.equal(await codes({}, { suspect: 'accept', look: async () => SAMPLE_LOOK }), undefined);
  assert.equal(await codes({}, {}), undefined);
});

test('what could not be looked at is no suspect, nor is it where nobody can look', async () => {
  const busy: Unseen = { problem: 'busy', detail: 'all threads are taken' };
  assert.equal(await codes({}, { suspect: 'fail', look: async () => busy }), undefined);
  assert.equal(await codes({}, { suspect: 'fail', look: () => Promise.reject(new Error('gone')) }), undefined);
  assert.equal(await codes({}, { suspect: 'fail' }), undefined);
});

test('measured against what the target was asked for; a grid is larger than its pictures', async () => {
  const request = { size: '1024x1024' };
  assert.deepEqual(await codes({}, { request }), ['wrong_size']);
  assert.equal(await codes({}, { request, sent: { size: '1x1' } }), undefined);
  assert.equal(await codes({ pictures: 4 }, { request }), undefined);
});

test('convert: a picture of another format is written anew where that can be, and stays told where it cannot', async () => {
  const png = { ...SAMPLE_ASSET, hash: 'c'.repeat(64), type: 'png' } as const;
  const jpeg = { ...SAMPLE_ASSET, type: 'jpeg' } as const;
  const ask = async (outputMismatch: OutputMismatch, convert: () => Promise<Asset | undefined>) => {
    const plan = { ...samplePlan(['a'], { outputMismatch }), request: sampleRequest({ outputFormat: 'png' }) };
    const [told] = await examined([{ asset: jpeg, seed: 7 }], {
      plan,
      target: sampleTarget('a'),
      environment: { convert },
    });
    return told && { type: told.asset.type, original: told.original, codes: told.suspect?.map(({ code }) => code) };
  };
  const told = { type: 'jpeg', original: undefined, codes: ['wrong_type'] };
  assert.deepEqual(await ask('convert', async () => png), { type: 'png', original: jpeg, codes: undefined });
  assert.deepEqual(await ask('convert', async () => undefined), told);
  assert.deepEqual(await ask('convert', () => Promise.reject(new Error('gone'))), told);
  const never = () => assert.fail('nothing is to be converted');
  assert.deepEqual(await ask('rename', never), told);
  assert.deepEqual(await ask('fail', never), told);
});
