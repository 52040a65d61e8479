import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueState } from '../store/store.ts';
import { createBacklog } from './backlog.ts';

const BOUNDS = { maxQueued: 5, maxQueuedPerKey: 2 };
const lane = (caller: string, waiting: number): QueueState['lanes'][number] => ({
  caller,
  priority: 'interactive',
  waiting,
  lastFinish: 0,
});
const queue = (...lanes: QueueState['lanes']): QueueState => ({ queue: 'q', head: { tag: 0, images: 1 }, lanes });

test('a key may have as many waiting as its bound, and others are none the worse for it', () => {
  const backlog = createBacklog(BOUNDS);
  backlog.added('alice');
  assert.equal(backlog.refuses('alice'), undefined);
  backlog.added('alice');
  assert.match(backlog.refuses('alice') ?? '', /^2 requests of this key .*queue\.max_queued_per_key.*Retry-After$/);
  assert.equal(backlog.refuses('bob'), undefined);
  backlog.removed('alice');
  assert.equal(backlog.refuses('alice'), undefined);
});

test('all keys together may have as many waiting as the queue’s bound', () => {
  const backlog = createBacklog(BOUNDS);
  for (const caller of ['a', 'b', 'c', 'd', 'e']) backlog.added(caller);
  assert.match(backlog.refuses('f') ?? '', /^5 requests wait already.*queue\.max_queued\)/);
  backlog.removed('a');
  assert.equal(backlog.refuses('f'), undefined);
});

test('what the store says takes the place of what was counted', () => {
  const backlog = createBacklog(BOUNDS);
  for (let added = 0; added < 5; added += 1) backlog.added('gone');
  backlog.reset([queue(lane('alice', 1), lane('bob', 1)), queue(lane('alice', 1))]);
  assert.equal(backlog.refuses('gone'), undefined);
  assert.ok(backlog.refuses('alice'), 'one in each of two queues');
  assert.equal(backlog.refuses('bob'), undefined);
});

test('what another node took and this one never counted makes no debt', () => {
  const backlog = createBacklog(BOUNDS);
  for (let removed = 0; removed < 10; removed += 1) backlog.removed('alice');
  backlog.added('alice');
  backlog.added('alice');
  assert.ok(backlog.refuses('alice'));
  for (const caller of ['a', 'b', 'c']) backlog.added(caller);
  assert.ok(backlog.refuses('d'));
});
