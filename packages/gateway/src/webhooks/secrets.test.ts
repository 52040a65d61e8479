import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@onetake/core';
import type { Cell } from '../store/store.ts';
import { createWebhookSecrets, isWebhookSecret } from './secrets.ts';

/** Cells in memory; `beforeSwap` plays the other node. */
function cells(beforeSwap: (values: Map<string, Cell>) => void = () => {}) {
  const values = new Map<string, Cell>();
  return {
    readCell: async (key: string) => values.get(key),
    swapCell: async (key: string, version: number, value: JsonValue) => {
      beforeSwap(values);
      if ((values.get(key)?.version ?? 0) !== version) return false;
      values.set(key, { key, version: version + 1, value });
      return true;
    },
  };
}

test('every caller has a secret of its own that stays the same, for every node', async () => {
  const shared = cells();
  const [one, other] = [1, 2].map(() => createWebhookSecrets({ cells: shared, configured: () => undefined }));
  const secret = await one?.('alice');
  assert.ok(secret !== undefined && isWebhookSecret(secret));
  assert.equal(Buffer.from(secret.slice(6), 'base64').length, 32);
  assert.equal(await other?.('alice'), secret);
  assert.notEqual(await one?.('bob'), secret);
});

test('two nodes that make one together agree on the first', async () => {
  const theirs = `whsec_${Buffer.alloc(32, 't').toString('base64')}`;
  const key = 'webhook-secret/alice';
  const race = cells((values) => values.set(key, { key, version: 1, value: theirs }));
  assert.equal(await createWebhookSecrets({ cells: race, configured: () => undefined })('alice'), theirs);
});

test('a configured secret is the one that is used', async () => {
  const secretOf = createWebhookSecrets({
    cells: cells(),
    configured: (caller) => (caller === 'alice' ? 'fixed' : undefined),
  });
  assert.equal(await secretOf('alice'), 'fixed');
  assert.ok(isWebhookSecret(await secretOf('bob')));
});

test('a secret is whsec_ and 24 to 64 bytes in base64', () => {
  const bytes = (count: number) => `whsec_${Buffer.alloc(count, 7).toString('base64')}`;
  assert.ok([24, 32, 33, 64].map(bytes).every(isWebhookSecret));
  const wrong = [
    '',
    'whsec_',
    bytes(23),
    bytes(65),
    bytes(32).slice(6),
    `${bytes(32)} `,
    bytes(32).replace('=', ''),
    'whsec_ü',
  ];
  assert.ok(!wrong.some(isWebhookSecret));
});
