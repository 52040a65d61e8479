import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { foldGeneration } from '@onetake/core';
import { openSqliteStore } from '../store/sqlite.ts';
import type { CacheUse, Store } from '../store/store.ts';
import { cachedPlan, createNode, NO_PICTURE, type NodeOptions, PICTURE } from '../testing/cache-world.ts';
import type { Live } from './live.ts';

async function node(t: TestContext, options: Partial<NodeOptions> & { path?: string } = {}) {
  const { path = ':memory:', ...rest } = options;
  const store = await openSqliteStore({ path });
  const made = createNode({ store, ...rest });
  const close = async () => {
    await made.cache.close();
    await store.close();
  };
  t.after(close);
  return { ...made, store, close };
}

type Asked = Awaited<ReturnType<ReturnType<typeof createNode>['ask']>>;

/** The generation that an answer came from. */
function liveOf(answered: Asked): Live {
  if (answered.kind === 'begun') return answered.begun;
  if (answered.kind === 'shared') return answered.found;
  return assert.fail(`it is a ${answered.kind}`);
}

function kinds(answers: readonly Asked[]): Readonly<Record<string, number>> {
  const count = (kind: string) => answers.filter((one) => one.kind === kind).length;
  return { begun: count('begun'), shared: count('shared'), hit: count('hit') };
}

test('fifty identical requests at once are one paid call, and the next ones are hits', async (t) => {
  const { ask, finish, provider, cache } = await node(t);
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
  assert.deepEqual(kinds(answers), { begun: 1, shared: 49, hit: 0 });
  assert.equal(provider.begun.length, 1);
  const lives = answers.map(liveOf);
  assert.equal(new Set(lives).size, 1);
  await finish(lives[0] ?? assert.fail());
  for (const { journals } of lives) assert.equal(foldGeneration(journals).outcome?.ok, true);
  const later = await Promise.all(Array.from({ length: 50 }, () => ask()));
  assert.deepEqual(kinds(later), { begun: 0, shared: 0, hit: 50 });
  const [hit] = later;
  assert.deepEqual(hit?.kind === 'hit' && hit.entry.images, [{ asset: PICTURE }]);
  const { oldestAt: _, ...stats } = await cache.stats({});
  assert.deepEqual(stats, {
    ...{ entries: 1, bytes: 100, hits: 50, savedUsd: 12.5 },
    targets: [{ target: 'sandbox/fast', entries: 1, bytes: 100, hits: 50, savedUsd: 12.5 }],
  });
});

test('other requests and other callers get their own', async (t) => {
  const { ask, finish, provider } = await node(t);
  await finish(liveOf(await ask()));
  for (const [plan, caller] of [
    [cachedPlan(), 'bob'],
    [cachedPlan('a blue fox'), 'alice'],
    [cachedPlan('a red fox', { request: { ...cachedPlan().request, seed: 1 } }), 'alice'],
  ] as const) {
    assert.equal((await ask(plan, caller)).kind, 'begun');
  }
  assert.equal(provider.begun.length, 4);
});

test('a failure is told to all who wait and never kept', async (t) => {
  const { ask, finish, provider } = await node(t);
  const lives = (await Promise.all(Array.from({ length: 5 }, () => ask()))).map(liveOf);
  await finish(lives[0] ?? assert.fail(), { ok: false, failure: NO_PICTURE });
  for (const { journals } of lives) assert.equal(foldGeneration(journals).outcome?.ok, false);
  assert.equal((await ask()).kind, 'begun');
  assert.equal(provider.begun.length, 2);
});

test('who leaves, even first, cancels nothing that others wait for', async (t) => {
  const { ask } = await node(t);
  const [first, ...others] = (await Promise.all([ask(), ask(), ask()])).map(liveOf);
  first?.leave({ cancel: true });
  others[0]?.leave({ cancel: true });
  assert.equal(first?.cancelSignal.aborted, false);
  others[1]?.leave({ cancel: true });
  assert.equal(first?.cancelSignal.aborted, true);
});

test('what is suspect or marked is not kept', async (t) => {
  const { ask, finish } = await node(t);
  const suspect = [{ code: 'black', detail: 'all of it' }] as const;
  await finish(liveOf(await ask()), { ok: true, images: [{ asset: PICTURE, suspect }] });
  await finish(liveOf(await ask()), { ok: true, images: [{ asset: PICTURE, flagged: 'nsfw' }] });
  assert.equal((await ask()).kind, 'begun');
});

test('what could not be begun leaves the key to the next', async (t) => {
  const { ask, provider } = await node(t);
  const full = () => Promise.reject(new Error('full'));
  await assert.rejects(ask(cachedPlan(), 'alice', full), /full/);
  assert.equal((await ask()).kind, 'begun');
  assert.equal(provider.begun.length, 1);
});

test('a key claimed by a node that died before it began is taken over when it is certain, by one', async (t) => {
  const { ask, store, cache, clock, provider } = await node(t);
  const { share } = cache.keysOf(cachedPlan(), 'alice', 'gen_dead') ?? assert.fail();
  const claimedAt = clock.now();
  await store.cacheClaim({ key: share, generation: 'gen_dead', until: claimedAt + 1e9 }, claimedAt);
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
  assert.deepEqual(kinds(answers), { begun: 1, shared: 9, hit: 0 });
  assert.equal(provider.begun.length, 1);
  assert.ok(clock.now() - claimedAt >= 10_000);
});

test('while somebody makes it who cannot be joined, nothing is paid twice', async (t) => {
  const { cache, store, clock } = await node(t);
  const request = cache.keysOf(cachedPlan(), 'alice', 'gen_new') ?? assert.fail();
  await store.cacheClaim({ key: request.share, generation: 'gen_busy', until: clock.now() + 1e9 }, clock.now());
  const ways = { begin: () => assert.fail('it began'), isBegun: () => true, follow: async () => 'busy' as const };
  assert.deepEqual(await cache.answer(request, ways), { kind: 'busy' });
});

test('a restart keeps what was made', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-cache-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'store.db');
  const before = await node(t, { path });
  await before.finish(liveOf(await before.ask()));
  await before.close();
  const after = await node(t, { path });
  assert.equal((await after.ask()).kind, 'hit');
  assert.equal(after.provider.begun.length, 0);
});

test('the bound of bytes holds after every picture, however many come at once, and files go with their entries', async (t) => {
  const limits = { bytes: 5_000, maxAgeMs: 1e9 };
  const { ask, finish, cache, sizes, removed } = await node(t, { limits });
  const asset = (index: number) => ({
    ...PICTURE,
    hash: String(index).padStart(64, '0'),
    bytes: 1 + ((index * 7_919) % 900),
  });
  for (let round = 0; round < 20; round += 1) {
    const indexes = Array.from({ length: 10 }, (_, index) => round * 10 + index);
    await Promise.all(
      indexes.map(async (index) => {
        sizes.set(asset(index).hash, asset(index).bytes);
        const live = liveOf(await ask(cachedPlan(`prompt ${index}`)));
        await finish(live, { ok: true, images: [{ asset: asset(index) }] });
        const { bytes } = await cache.stats({});
        assert.ok(bytes <= limits.bytes, `${bytes} bytes in round ${round}`);
      }),
    );
  }
  const { entries, bytes } = await cache.stats({});
  assert.ok(bytes > 0.7 * limits.bytes, 'room is made, and not more than is needed');
  assert.equal(new Set(removed).size, 200 - entries);
});

test('a picture larger than the whole cache is not kept, and nothing goes for it', async (t) => {
  const { ask, finish, cache } = await node(t, { limits: { bytes: 150, maxAgeMs: 1e9 } });
  await finish(liveOf(await ask()));
  await finish(liveOf(await ask(cachedPlan('large'))), { ok: true, images: [{ asset: { ...PICTURE, bytes: 151 } }] });
  assert.deepEqual((await cache.stats({})).entries, 1);
});

test('what is too old is no hit, and what is made instead takes its place', async (t) => {
  const { ask, finish, clock, cache } = await node(t, { limits: { bytes: 1_000, maxAgeMs: 1_000 } });
  await finish(liveOf(await ask()));
  clock.pass(1_000);
  await finish(liveOf(await ask()));
  assert.equal((await ask()).kind, 'hit');
  assert.equal((await cache.stats({})).entries, 1);
});

test('pictures whose bytes are gone or cut are made again', async (t) => {
  const { ask, finish, sizes, cache } = await node(t);
  for (const size of [undefined, 99]) {
    sizes.set(PICTURE.hash, PICTURE.bytes);
    await finish(liveOf(await ask()));
    if (size === undefined) sizes.delete(PICTURE.hash);
    else sizes.set(PICTURE.hash, size);
    const again = await ask();
    assert.equal(again.kind, 'begun');
    assert.equal((await cache.stats({})).entries, 0);
    await finish(liveOf(again), { ok: false, failure: NO_PICTURE });
  }
});

test('what another ended between the look and the claim is a hit, and not paid for again', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store.close());
  const other = createNode({ store });
  let isFirst = true;
  const cacheClaim: Store['cacheClaim'] = async (...args) => {
    if (isFirst) {
      isFirst = false;
      await other.finish(liveOf(await other.ask()));
    }
    return store.cacheClaim(...args);
  };
  const { ask, provider, cache } = createNode({ store: { ...store, cacheClaim } });
  t.after(() => Promise.all([cache.close(), other.cache.close()]));
  assert.equal((await ask()).kind, 'hit');
  assert.equal(provider.begun.length, 0);
  assert.equal((await ask(cachedPlan('another'))).kind, 'begun', 'and the claim is not left behind');
});

test('a key is free only when what was made can be found', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store.close());
  const found: number[] = [];
  const cacheRelease: Store['cacheRelease'] = async (...args) => {
    found.push((await store.cacheStats({})).entries);
    return store.cacheRelease(...args);
  };
  const { ask, finish, cache } = createNode({ store: { ...store, cacheRelease } });
  t.after(() => cache.close());
  await finish(liveOf(await ask()));
  assert.deepEqual(found, [1]);
});

test('hits are written together, once a minute', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store.close());
  const written: (readonly CacheUse[])[] = [];
  const cacheUsed: Store['cacheUsed'] = (uses) => {
    written.push(uses);
    return store.cacheUsed(uses);
  };
  const { ask, finish, clock, cache } = createNode({ store: { ...store, cacheUsed } });
  t.after(() => cache.close());
  await finish(liveOf(await ask()));
  for (let hit = 0; hit < 20; hit += 1) await ask();
  assert.equal(written.length, 0);
  clock.fire();
  assert.deepEqual(
    written.map((uses) => uses.map(({ hits }) => hits)),
    [[20]],
  );
});

test('a store that fails costs the cache, not the request', async (t) => {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store.close());
  const away = () => Promise.reject(new Error('away'));
  const broken = { ...store, cacheGet: away, cachePut: away, cacheClaim: away, cacheRelease: away, cacheEvict: away };
  const { ask, finish, errors, cache } = createNode({ store: broken });
  t.after(() => cache.close());
  await finish(liveOf(await ask()));
  assert.equal((await ask()).kind, 'begun');
  assert.ok(errors.length > 0);
});

test('clear takes away what it names, of one caller alone', async (t) => {
  const { ask, finish, cache, removed } = await node(t);
  for (const caller of ['alice', 'bob']) await finish(liveOf(await ask(cachedPlan(), caller)));
  assert.deepEqual(await cache.clear({ caller: 'alice' }), { entries: 1, bytes: 100, more: false });
  assert.deepEqual(removed, [], 'bob has it too');
  assert.equal((await ask(cachedPlan(), 'alice')).kind, 'begun');
  assert.equal((await ask(cachedPlan(), 'bob')).kind, 'hit');
  await cache.clear({});
  assert.deepEqual(removed, [PICTURE.hash]);
});
