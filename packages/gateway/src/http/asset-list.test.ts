import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { createFinished, sampleAsset, sampleGeneration } from '../store/contract/samples.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { assetList } from './asset-list.ts';
import { problemBody, requestProblemOf } from './problem.ts';

/** A store with a picture of alice's and two of bob's; the header `caller` says who asks. */
async function list(t: TestContext) {
  const store = await openSqliteStore({ path: ':memory:' });
  const app = Fastify();
  t.after(async () => {
    await app.close();
    await store.close();
  });
  const made = [
    ['a', 'alice', 20],
    ['b', 'bob', 30],
    ['c', 'bob', 40],
  ] as const;
  for (const [letter, caller, finishedAt] of made) {
    const assets = [sampleAsset(letter, finishedAt)];
    await createFinished(store, sampleGeneration(`gen_${letter}`, { caller }), { finishedAt, assets });
  }
  app.decorateRequest('caller', '');
  app.decorateRequest('isAdmin', false);
  app.addHook('onRequest', async (request) => {
    request.caller = String(request.headers.caller);
    request.isAdmin = request.caller === 'admin';
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = requestProblemOf(error, 1024) ?? assert.fail(String(error));
    reply.code(problem.status).send(problemBody(problem, request.id));
  });
  app.get(
    '/v1/assets',
    assetList(store, () => 'http://host/v1/assets'),
  );
  return async (caller: string, query = '') => {
    const answer = await app.inject({ url: `/v1/assets${query}`, headers: { caller } });
    const body = answer.json();
    const hashes = body.data?.map(({ hash }: { hash: string }) => hash[0]).join('');
    return { status: answer.statusCode, body, hashes };
  };
}

test('a caller sees the pictures of its own generations, an administrator all, the newest first', async (t) => {
  const ask = await list(t);
  assert.deepEqual((await ask('alice')).body.data, [
    {
      ...{ object: 'asset', hash: 'a'.repeat(64), type: 'png', bytes: 20, created_at: 20, generation: 'gen_a' },
      url: `http://host/v1/assets/${'a'.repeat(64)}.png`,
    },
  ]);
  assert.equal((await ask('bob', '?caller=alice')).status, 403);
  assert.equal((await ask('admin')).hashes, 'cba');
  assert.equal((await ask('admin', '?caller=bob')).hashes, 'cb');
  assert.equal((await ask('carol')).hashes, '');
});

test('pages go on where the one before ended, and a hash is found by its beginning', async (t) => {
  const ask = await list(t);
  const first = await ask('admin', '?limit=2');
  assert.equal(first.hashes, 'cb');
  const second = await ask('admin', `?limit=2&after=${first.body.next}`);
  assert.deepEqual([second.hashes, second.body.next], ['a', null]);
  assert.equal((await ask('admin', '?hash=bb')).hashes, 'b');
  assert.equal((await ask('alice', '?hash=bb')).hashes, '');
});

test('what is no limit, cursor or hash is refused', async (t) => {
  const ask = await list(t);
  for (const query of ['?limit=0', '?limit=x', '?after=1', '?hash=xyz', '?hush=aa'])
    assert.equal((await ask('admin', query)).status, 400, query);
});
