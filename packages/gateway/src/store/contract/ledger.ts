import assert from 'node:assert/strict';
import type { LedgerLine } from '@onetake/core';
import type { BookedLine, CostFilter, CostRow } from '../ledger.ts';
import type { NewGeneration, Store } from '../store.ts';
import {
  createFinished,
  doubtfulLine,
  ids,
  sampleAsset,
  sampleFence,
  sampleGeneration,
  sampleHold,
  sampleLine,
  samplePlan,
  sampleSummary,
  started,
} from './samples.ts';
import type { StoreTests } from './store-tests.ts';

const HOUR_MS = 3_600_000;
const ALL = { by: [], since: 0, until: 99 * HOUR_MS, limit: 10 } as const;
const UNKNOWN = { status: 'failed', code: 'outcome_unknown', billed: 'maybe', possibleUsd: 0.04 } as const;
const FREE = { spentMicroUsd: 0, images: 0, priced: 'none' } as const;
const REFUSED = { ...FREE, kind: 'policy', certainty: 'rejected', code: 'content_policy_violation' } as const;

function chatPlan(): NewGeneration['plan'] {
  const plan = { ...samplePlan(), chat: { excerpt: 'hello' } };
  return plan as unknown as NewGeneration['plan'];
}

function booked(change: Partial<BookedLine> = {}): BookedLine {
  const cached = { role: 'cached', attempt: 0, savedMicroUsd: 40_000, ...FREE } as const;
  return {
    ...sampleLine(cached),
    generation: 'a',
    caller: 'local',
    route: 'image-best',
    requestId: 'of cached',
    ...change,
  };
}

/** Six attempts of two generations of pictures and one of chat, and one request that the cache answered. */
async function fill(store: Store): Promise<void> {
  const lines: readonly LedgerLine[] = [
    sampleLine({ ...REFUSED, message: 'no' }),
    sampleLine({ attempt: 2, role: 'retry', spentMicroUsd: 30_000, startedAt: 25 * HOUR_MS }),
    sampleLine({ attempt: 3, role: 'fallback', target: 'openai/big', spentMicroUsd: 70_000, images: 2 }),
  ];
  await createFinished(store, sampleGeneration('a'), { lines });
  await createFinished(store, sampleGeneration('b', { caller: 'other' }), {
    lines: [sampleLine({ spentMicroUsd: null, priced: 'unknown' }), doubtfulLine({ run: 1 })],
  });
  const chat = sampleGeneration('c', { plan: chatPlan(), endpoint: '/v1/chat/completions' });
  await createFinished(store, chat, { lines: [sampleLine({ target: 'openai/words', images: 0, spentMicroUsd: 5 })] });
  await store.book([booked()]);
}

async function costs(store: Store, change: Partial<CostFilter> = {}): Promise<readonly CostRow[]> {
  const rows = await store.costs({ ...ALL, ...change });
  return rows.toSorted((one, other) => (JSON.stringify(one.group) < JSON.stringify(other.group) ? -1 : 1));
}

async function spent(store: Store, by: CostFilter['by'], change: Partial<CostFilter> = {}) {
  const rows = await costs(store, { by, ...change });
  return rows.map(({ group, spentMicroUsd }) => [Object.values(group).join(' '), spentMicroUsd]);
}

export const ledger: StoreTests = {
  async 'costs are sums of every line, each column by itself'(store) {
    await fill(store);
    const [all] = await costs(store);
    assert.deepEqual(all, {
      ...{ group: {}, requests: 4, attempts: 6, images: 4, spentMicroUsd: 100_005 },
      ...{ retriedMicroUsd: 30_000, fallbackMicroUsd: 70_000, refused: 1, refusedMicroUsd: 0 },
      ...{ cached: 1, savedMicroUsd: 40_000, unknown: 1, possibleMicroUsd: 40_000, unpriced: 1 },
    });
    assert.deepEqual(await costs(store, { since: 26 * HOUR_MS }), []);
    assert.equal((await costs(store, { until: 25 * HOUR_MS }))[0]?.attempts, 5);
    assert.equal((await costs(store, { since: 25 * HOUR_MS, until: 25 * HOUR_MS + 1 }))[0]?.attempts, 1);
  },

  async 'costs are told by every dimension, alone and together'(store) {
    await fill(store);
    assert.deepEqual(await spent(store, ['model']), [
      ['openai/big', 70_000],
      ['openai/words', 5],
      ['sandbox/fast', 30_000],
    ]);
    assert.deepEqual(await spent(store, ['provider']), [
      ['openai', 70_005],
      ['sandbox', 30_000],
    ]);
    assert.deepEqual(await spent(store, ['key']), [
      ['local', 100_005],
      ['other', 0],
    ]);
    assert.deepEqual(await spent(store, ['kind', 'day']), [
      ['1970-01-01 chat', 5],
      ['1970-01-01 pictures', 70_000],
      ['1970-01-02 pictures', 30_000],
    ]);
    assert.deepEqual(await spent(store, ['hour', 'hour'], { caller: 'local' }), [
      ['1970-01-01T00', 70_005],
      ['1970-01-02T01', 30_000],
    ]);
    assert.deepEqual(await spent(store, ['route', 'model'], { limit: 1 }), [['openai/big image-best', 70_000]]);
    await assert.rejects(store.costs({ ...ALL, by: ['number' as 'model'] }), /"number" is none of model, /);
    await assert.rejects(store.costs({ ...ALL, limit: 10_001 }), /limit/);
  },

  async 'who lost the fence writes no line'(store) {
    await store.create(sampleGeneration('a'));
    await store.hold(sampleHold('a'));
    const lines = [sampleLine()];
    const late = store.append(sampleFence('a', 7), [started(1)], sampleSummary({ lines }));
    await assert.rejects(late, { name: 'LostRunError' });
    assert.deepEqual(await costs(store), []);
    assert.deepEqual(await store.uses('local', sampleHold('a').bounds), [
      { name: 'budget day 1', spent: 0, held: 50_000 },
    ]);
    await store.append(sampleFence('a', 0), [started(1)], sampleSummary({ lines }));
    await assert.rejects(store.append(sampleFence('a', 0), [started(1)], sampleSummary({ lines })));
    assert.deepEqual(await spent(store, ['key']), [['local', 40_000]]);
  },

  async 'failures that differ in numbers and ids are one, told by the latest'(store) {
    const refusal = (id: string, startedAt: number, message: string, caller = 'local') =>
      createFinished(store, sampleGeneration(id, { caller }), {
        lines: [sampleLine({ ...FREE, startedAt, kind: 'throttled', code: 'rate_limit_exceeded', message })],
      });
    await refusal('a', 30, 'wait 5 s (req_abc12345)', 'zoe');
    await refusal('b', 50, 'wait 7 s (req_xyz98765)');
    await refusal('c', 40, 'wait 1 s (req_uvw55555)', 'zoe');
    await refusal('d', 45, 'something else');
    const found = await store.failures({ since: 0, until: 100, limit: 10 });
    const [latest, other] = found;
    assert.match(latest?.fingerprint ?? '', /^[0-9a-f]{16}$/);
    assert.deepEqual(found, [
      {
        ...{ fingerprint: latest?.fingerprint, target: 'sandbox/fast', kind: 'throttled', code: 'rate_limit_exceeded' },
        ...{
          message: 'wait 7 s (req_xyz98765)',
          count: 3,
          first: 30,
          last: 50,
          callers: ['local', 'zoe'],
          generation: 'b',
        },
      },
      { ...other, message: 'something else', count: 1, first: 45, last: 45, callers: ['local'], generation: 'd' },
    ]);
    const zoe = await store.failures({ since: 35, until: 100, caller: 'zoe', limit: 10 });
    assert.deepEqual(
      zoe.map(({ count, generation, callers }) => [count, generation, callers]),
      [[1, 'c', ['zoe']]],
    );
    assert.equal((await store.failures({ since: 0, until: 100, limit: 1 })).length, 1);
    assert.deepEqual(await store.failures({ since: 0, until: 30, limit: 10 }), []);
  },

  async 'any words of a provider can be written'(store) {
    const message = 'nul \0, half \ud800, quote \' " and line\nbreak';
    await createFinished(store, sampleGeneration('a'), {
      lines: [sampleLine({ ...REFUSED, message, code: 'a\0b', providerRequestId: 'x\0y' })],
    });
    const [found] = await store.failures({ since: 0, until: 100, limit: 10 });
    assert.deepEqual([found?.message, found?.code], ['nul , half \ufffd, quote \' " and line\nbreak', 'ab']);
  },

  async 'a generation is found by any request id that belongs to it, the newest first'(store) {
    const lines = [sampleLine({ providerRequestId: 'req_1' }), sampleLine({ attempt: 2, providerRequestId: 'req_2' })];
    await createFinished(store, sampleGeneration('a', { requestId: 'ours' }), { lines });
    await store.create(sampleGeneration('b', { requestId: 'ours', createdAt: 20 }));
    await store.book([booked({ generation: 'a', requestId: 'of cached' })]);
    assert.deepEqual(await store.findByRequestId('ours'), ['b', 'a']);
    for (const id of ['req_1', 'req_2', 'of cached']) assert.deepEqual(await store.findByRequestId(id), ['a'], id);
    assert.deepEqual(await store.findByRequestId('nobody'), []);
  },

  async 'an outcome that nobody knew is settled once, as charged or as free'(store) {
    const bounds = [{ ...sampleHold('').bounds[0], name: 'images', unit: 'images', since: 0, most: 9 } as const];
    for (const id of ['a', 'b']) {
      await store.create(sampleGeneration(id, { idempotency: { key: id, expiresAt: 900 } }));
      await store.hold(sampleHold(id, { bounds: [...sampleHold(id).bounds, ...bounds] }));
      await store.append(sampleFence(id, 0), [started(1)], sampleSummary({ ...UNKNOWN, lines: [doubtfulLine()] }));
    }
    const uses = async () =>
      (await store.uses('local', [...sampleHold('').bounds, ...bounds])).map(({ spent, held }) => [spent, held]);
    assert.deepEqual(await uses(), [
      [0, 80_000],
      [0, 2],
    ]);
    assert.equal(await store.settle({ generation: 'a', verdict: 'charged', at: 70 }), 'settled');
    assert.equal(await store.settle({ generation: 'b', verdict: 'free', at: 71 }), 'settled');
    assert.equal(await store.settle({ generation: 'a', verdict: 'free', at: 72 }), 'not_unknown');
    assert.equal(await store.settle({ generation: 'nowhere', verdict: 'free', at: 73 }), 'not_found');
    assert.deepEqual(await uses(), [
      [40_000, 0],
      [1, 0],
    ]);
    const row = async (id: string) => {
      const { billed, costUsd, possibleUsd, settled, settledAt, status } = (await store.read(id)) ?? {};
      return [status, billed, costUsd, possibleUsd, settled, settledAt];
    };
    assert.deepEqual(await row('a'), ['failed', 'yes', 0.04, undefined, 'charged', 70]);
    assert.deepEqual(await row('b'), ['failed', 'no', undefined, undefined, 'free', 71]);
    assert.deepEqual(await store.list({ unknown: true, limit: 10 }), []);
    assert.deepEqual(ids(await store.list({ status: 'failed', limit: 10 })), ['b', 'a']);
    const [sums] = await costs(store);
    assert.deepEqual([sums?.spentMicroUsd, sums?.images, sums?.unknown, sums?.possibleMicroUsd], [40_000, 1, 0, 0]);
    const scope = { caller: 'local', endpoint: '/v1/images/generations' };
    assert.equal((await store.findIdempotent({ ...scope, key: 'a' }, 80))?.id, 'a');
    assert.equal(await store.findIdempotent({ ...scope, key: 'b' }, 80), undefined);
  },

  async 'what broke off and is billed by what its lines know has nothing to be settled'(store) {
    await createFinished(store, sampleGeneration('a'), { ...UNKNOWN, costUsd: 0.04, lines: [sampleLine()] });
    const before = await costs(store);
    assert.equal(await store.settle({ generation: 'a', verdict: 'charged', microUsd: 90_000, at: 70 }), 'not_unknown');
    assert.deepEqual([(await store.read('a'))?.costUsd, await costs(store)], [0.04, before]);
    await createFinished(store, sampleGeneration('of an older version, without lines'));
    const older = { generation: 'of an older version, without lines', verdict: 'free', at: 70 } as const;
    assert.equal(await store.settle(older), 'not_unknown');
  },

  async 'at an unknown price the charge is what it is said to be'(store) {
    const unpriced = doubtfulLine({ attempt: 2, possibleMicroUsd: null });
    for (const id of ['a', 'b']) {
      await store.create(sampleGeneration(id));
      await store.hold(sampleHold(id));
      await store.append(
        sampleFence(id, 0),
        [started(1)],
        sampleSummary({ billed: 'maybe', costUsd: 0.01, lines: [sampleLine({ spentMicroUsd: 10_000 }), unpriced] }),
      );
    }
    const uses = async () => (await store.uses('local', sampleHold('').bounds)).map(({ spent, held }) => [spent, held]);
    assert.deepEqual(await uses(), [[20_000, 80_000]]);
    await store.settle({ generation: 'a', verdict: 'charged', microUsd: 25_000, at: 70 });
    assert.deepEqual(await uses(), [[45_000, 40_000]]);
    assert.equal((await store.read('a'))?.costUsd, 0.035);
    assert.equal((await costs(store))[0]?.unpriced, 1);
    await store.settle({ generation: 'b', verdict: 'free', at: 70 });
    assert.deepEqual(await uses(), [[45_000, 0]]);
    assert.deepEqual([(await store.read('b'))?.billed, (await costs(store))[0]?.unpriced], ['yes', 0]);
  },

  async 'assets are listed newest first with the latest generation that refers to them'(store) {
    const [one, two, three] = [sampleAsset('a', 1), sampleAsset('b', 2), sampleAsset('c', 3)];
    await createFinished(store, sampleGeneration('g'), { finishedAt: 50, assets: [one, two] });
    await createFinished(store, sampleGeneration('h', { caller: 'other' }), { finishedAt: 60, assets: [two, three] });
    const listed = [
      { ...three, createdAt: 60, generation: 'h' },
      { ...two, createdAt: 50, generation: 'h' },
      { ...one, createdAt: 50, generation: 'g' },
    ];
    assert.deepEqual(await store.listAssets({ limit: 10 }), listed);
    assert.deepEqual(await store.listAssets({ limit: 1 }), listed.slice(0, 1));
    const before = { createdAt: 60, hash: three.hash };
    assert.deepEqual(await store.listAssets({ limit: 10, before }), listed.slice(1));
    const own = await store.listAssets({ caller: 'local', limit: 10, before });
    assert.deepEqual(
      own.map(({ hash, generation }) => [hash, generation]),
      [
        [two.hash, 'g'],
        [one.hash, 'g'],
      ],
    );
    await assert.rejects(store.listAssets({ limit: 0 }), /limit/);
  },

  async 'lines outlive their generation, until the bound of their own'(store) {
    const lines = [sampleLine({ startedAt: 20 })];
    for (const id of ['a', 'b']) await createFinished(store, sampleGeneration(id), { lines });
    await createFinished(store, sampleGeneration('young'), { lines: [sampleLine({ startedAt: 500 })] });
    await store.create(sampleGeneration('holds'));
    const [day] = sampleHold('').bounds;
    await store.hold(
      sampleHold('holds', {
        bounds: [{ ...day, name: 'old', unit: 'micro_usd', since: 0, until: 400, most: 200_000 }],
      }),
    );
    const bounds = { createdBefore: 1_000, excessBytes: 0, limit: 10 };
    await store.expire(bounds);
    assert.equal((await costs(store))[0]?.requests, 3);
    await store.expire({ ...bounds, ledgerBefore: 450 });
    assert.equal((await costs(store))[0]?.requests, 1);
    const old = [{ name: 'old', unit: 'micro_usd', since: 0, until: 400 } as const];
    assert.deepEqual(await store.uses('local', old), [{ name: 'old', spent: 80_000, held: 50_000 }]);
    await store.append(sampleFence('holds', 0), [started(1)], sampleSummary());
    await store.expire({ ...bounds, ledgerBefore: 450 });
    assert.deepEqual(await store.uses('local', old), [{ name: 'old', spent: 0, held: 0 }]);
  },
};
