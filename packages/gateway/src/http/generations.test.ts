import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '@onetake/core';
import { completedSnapshot, sampleImage, sampleSnapshot } from '../testing/task-samples.ts';
import { generationView, listedRowOf, listedRowView } from './generations.ts';

test('the timeline shows where a job is looked up, but not what opens it', () => {
  const snapshot = sampleSnapshot();
  const handle = { id: 'job-1', url: 'https://api.bfl.ai/v1/get_result?id=job-1&token=0123abcd', step: { n: [1] } };
  const journal: readonly Event[] = [
    { type: 'attempt-started', at: 1, attempt: 1, target: 'bfl/flux-2-pro' },
    { type: 'handle-received', at: 2, attempt: 1, handle, pollAt: 3 },
    { type: 'polled', at: 4, attempt: 1, handle, pollAt: 5 },
  ];
  const { plan } = snapshot;
  const source = { target: 'bfl/flux-2-pro', handle, index: 1 };
  const stored = {
    ...{ id: 'gen_1', caller: 'ann', endpoint: '/v1/images/generations', route: 'r', prompt: 'p' },
    ...({ status: 'processing', createdAt: 0, fingerprint: 'f', requestId: 'req_1' } as const),
    plan: { ...plan, request: { ...plan.request, source } },
    journals: [journal],
  };
  const view = generationView(stored, 'http://gateway/v1/assets');
  assert.equal((view as { caller?: unknown }).caller, 'ann', 'administrators see whose it is');
  const shown = JSON.stringify(view);
  assert.ok(!shown.includes('0123abcd'), shown);
  assert.ok(shown.includes('https://api.bfl.ai/v1/get_result') && shown.includes('"n":[1]'), shown);
});

test('a row tells how long it took, how many pictures there are, and shows the first', () => {
  const view = listedRowView(({ hash }) => `thumbnail of ${hash.slice(0, 1)}`);
  const { duration_ms, makes, pictures, thumbnail_url } = view(listedRowOf(completedSnapshot()));
  assert.deepEqual([duration_ms, makes, pictures, thumbnail_url], [1_000, 'pictures', 1, 'thumbnail of a']);
  const waiting = view(listedRowOf(sampleSnapshot()));
  assert.deepEqual([waiting.duration_ms, waiting.pictures, waiting.thumbnail_url], [null, 0, null]);
  const { hash } = sampleImage().asset;
  const svg = view({ ...sampleSnapshot(), makes: 'pictures', pictures: 1, picture: { hash, type: 'unheard of' } });
  assert.equal(svg.thumbnail_url, null);
});
