import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { type Catalogue, createHealthBook } from '@onetake/core';
import { BATCH_SCOPE } from '../batches/begin-line.ts';
import { createRecent } from '../now/recent.ts';
import type { GenerationRow, ListFilter } from '../store/store.ts';
import { createFacts, type FactSources } from './facts.ts';
import { RULES } from './rules.ts';

const MINUTE_MS = 60_000;
const NOW = 500 * 86_400_000;

function scene(change: Partial<FactSources> = {}) {
  let now = NOW;
  const asked: string[] = [];
  const errors: string[] = [];
  const row = (createdAt: number) => ({ createdAt }) as GenerationRow;
  const store: FactSources['store'] = {
    async list({ unknown, status, before }: ListFilter) {
      asked.push(unknown ? 'unknown' : `${status} before ${NOW - (before?.createdAt ?? 0)}`);
      return unknown ? [row(NOW - 1), row(NOW - 2 * 86_400_000)] : [row(NOW - 4_000_000), row(NOW - 9_000_000)];
    },
    async listWebhooks() {
      asked.push('webhooks');
      return [];
    },
  };
  const stored = { budgets: async () => [], storedBytes: async () => 5e9, isUp: () => true };
  const facts = createFacts({
    ...{ store, stored, health: createHealthBook(), streaks: { report: () => [] }, rules: RULES },
    catalogue: { connections: [], routes: {} } as unknown as Catalogue,
    ...{ recent: createRecent(NOW), io: { now: () => now }, dataDir: tmpdir(), retentionBytes: 50e9 },
    onError: (_error, rule) => errors.push(rule),
    ...change,
  });
  const later = (ms: number) => {
    now += ms;
  };
  return { facts, asked, errors, later, stored };
}

test('the store is asked for what is over alone, and seldom', async () => {
  const { facts, asked, later } = scene();
  const first = await facts();
  assert.deepEqual(asked, ['unknown', 'pending before 3600000', 'webhooks']);
  assert.deepEqual(first.unknownOutcomes, { count: 1, isAtLeast: false }, 'those of the window');
  assert.deepEqual(first.waiting, { oldestAt: NOW - 9_000_000 });
  for (let look = 0; look < 4; look += 1) {
    await facts();
    later(MINUTE_MS / 5);
  }
  assert.equal(asked.length, 3);
  later(MINUTE_MS);
  await facts();
  assert.equal(asked.length, 5);
});

test('the disk of the data directory, and what retention cannot remove; to stand at its bound is well', async () => {
  const diskOf = async (bytes: number) => {
    const { disk } = await scene({ stored: { budgets: async () => [], storedBytes: async () => bytes } }).facts();
    return disk;
  };
  const [directory, ...more] = await diskOf(51e9);
  assert.deepEqual([directory?.subject, more], ['data directory', []]);
  assert.ok(directory && directory.used >= 0 && directory.used <= directory.most);
  assert.deepEqual((await diskOf(56e9))[1], { subject: 'retention.bytes', used: 56e9, most: 50e9 });
});

test('the lines of a batch may wait for hours, and do not hide a task that does', async () => {
  const line = { createdAt: NOW - 9_000_000, endpoint: BATCH_SCOPE } as GenerationRow;
  const task = { createdAt: NOW - 8_000_000, endpoint: '/v1/tasks' } as GenerationRow;
  const oldestOf = async (rows: readonly GenerationRow[]) => {
    const { facts } = scene({ store: { list: async () => rows, listWebhooks: async () => [] } });
    return (await facts()).waiting?.oldestAt;
  };
  assert.equal(await oldestOf([line, line]), undefined);
  assert.equal(await oldestOf([line, task, line]), NOW - 8_000_000);
});

test('what cannot be looked up for hours is logged once', async () => {
  const { facts, errors, later } = scene({ dataDir: '/nowhere/at/all' });
  for (let look = 0; look < 60; look += 1) {
    assert.deepEqual((await facts()).unanswered, ['disk']);
    later(MINUTE_MS);
  }
  assert.deepEqual(errors, ['disk']);
});

test('a clock that was set back does not stop the questions', async () => {
  const { facts, asked, later } = scene();
  await facts();
  later(-86_400_000);
  await facts();
  assert.equal(asked.length, 6);
});

test('of a rule that is off nothing is looked up', async () => {
  const { facts, asked } = scene({ rules: {} });
  const { disk, waiting } = await facts();
  assert.deepEqual([asked, disk, waiting], [[], [], undefined]);
});

test('what cannot be looked up is unanswered, and what was known holds on', async () => {
  let isAway = true;
  const budgets = async () => {
    if (isAway) throw new Error('the store is away');
    return [];
  };
  const { facts, errors, later, stored } = scene();
  const away = scene({ stored: { ...stored, budgets } });
  assert.deepEqual((await facts()).unanswered, []);
  assert.deepEqual((await away.facts()).unanswered, ['budget']);
  isAway = false;
  away.later(MINUTE_MS);
  assert.deepEqual((await away.facts()).unanswered, []);
  isAway = true;
  away.later(MINUTE_MS);
  assert.deepEqual((await away.facts()).unanswered, [], 'it was answered once');
  assert.deepEqual([away.errors, errors], [['budget', 'budget'], []]);
  later(0);
});
