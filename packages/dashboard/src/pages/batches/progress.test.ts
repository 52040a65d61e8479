import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../api/batches.ts';
import { exampleLines, glimpseOf } from './lines.ts';
import { endedAt, leftMs, shareDone, stateOf } from './progress.ts';

const batch = (given: Partial<Batch>): Batch => ({
  ...{ id: 'batch_1', endpoint: '/v1/images/generations', input_file_id: 'file_1', created_at: 100, errors: null },
  ...{ output_file_id: null, error_file_id: null, in_progress_at: 100, expires_at: 900, metadata: null },
  ...{ completed_at: null, failed_at: null, expired_at: null, cancelled_at: null },
  status: 'in_progress',
  request_counts: { total: 10, completed: 3, failed: 1 },
  ...given,
});

test('what is left goes by the pace until now, and by nothing where there is none', () => {
  assert.equal(shareDone(batch({})), 0.4);
  assert.equal(leftMs(batch({}), 140_000), 60_000);
  assert.equal(leftMs(batch({ request_counts: { total: 10, completed: 1, failed: 0 } }), 140_000), undefined);
  assert.equal(leftMs(batch({ status: 'cancelling' }), 140_000), undefined);
  assert.equal(shareDone(batch({ request_counts: { total: 0, completed: 0, failed: 0 } })), null);
});

test('its end and its state', () => {
  assert.equal(endedAt(batch({ status: 'completed', completed_at: 150 })), 150_000);
  assert.equal(endedAt(batch({})), undefined);
  assert.equal(stateOf(batch({ status: 'completed' })).tone, 'warn');
  assert.equal(
    stateOf(batch({ status: 'completed', request_counts: { total: 1, completed: 1, failed: 0 } })).tone,
    'good',
  );
});

test('the first line of a file says where it goes, or what is wrong with it', () => {
  assert.deepEqual(glimpseOf(`\n${exampleLines('sandbox/ok')}`), {
    ...{ ok: true, endpoint: '/v1/images/generations', prompt: 'a red fox in the snow' },
  });
  const wrong: readonly (readonly [string, RegExp])[] = [
    [' \n', /empty/],
    ['a fox', /no JSON object/],
    ['{"custom_id":"a","url":"/v1/elsewhere"}', /elsewhere/],
    ['{"custom_id":"a"}', /missing/],
    ['{"url":"/v1/embeddings"}', /custom_id/],
  ];
  for (const [text, why] of wrong) {
    const glimpse = glimpseOf(text);
    assert.ok(!glimpse.ok && why.test(glimpse.why), text);
  }
});
