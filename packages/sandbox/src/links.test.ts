import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScript } from './faults/script.ts';
import { createLinkGuard, type LinkRule, linkTo } from './links.ts';

const PICTURE = { bytes: Buffer.from('p'), format: 'png', width: 1, height: 1, seed: 1 } as const;
const CONTEXT = {
  url: 'http://127.0.0.1:1',
  files: { keep: () => Promise.resolve('a.png'), read: () => Promise.resolve(undefined) },
};

async function queryOf(fault: string, rule?: LinkRule): Promise<URLSearchParams> {
  const [cue] = readScript('ok', fault);
  assert.ok(cue && cue.fault.act.kind === 'pictures');
  return new URL(await linkTo(CONTEXT, PICTURE, { cue, act: cue.fault.act, at: 1000, token: 't' }, rule)).searchParams;
}

test('a link without a rule is good for ever', async () => {
  const guard = createLinkGuard();
  assert.equal(String(await queryOf('ok')), '');
  assert.equal(guard.check(await queryOf('ok'), 1e15), undefined);
});

test('a link that expires answers as its rule says from that moment on', async () => {
  const guard = createLinkGuard();
  const query = await queryOf('ok', { lifeMs: 500, expiredStatus: 404 });
  assert.equal(guard.check(query, 1499), undefined);
  assert.equal(guard.check(query, 1500)?.status, 404);
  assert.equal(guard.check(await queryOf('expired-url', { lifeMs: 500 }), 1000)?.status, 403);
  assert.equal(guard.check(await queryOf('expired-url'), 1000)?.status, 403);
});

test('a flaky link fails as often as it says, each on its own', async () => {
  const guard = createLinkGuard();
  const [query, once] = [await queryOf('flaky-download:2'), await queryOf('flaky-download')];
  once.set('token', 'other');
  const statuses = (of: URLSearchParams) => [1, 2, 3].map(() => guard.check(of, 0)?.status);
  assert.deepEqual(statuses(query), [503, 503, undefined]);
  assert.deepEqual(statuses(once), [503, undefined, undefined]);
});
