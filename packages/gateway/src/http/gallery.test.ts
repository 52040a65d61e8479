import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { createFinished, sampleGeneration, samplePicture } from '../store/contract/samples.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { addGalleryRoutes } from './gallery.ts';
import { problemBody, requestProblemOf } from './problem.ts';

const HASH = (letter: string) => letter.repeat(64);

/** A store with two pictures of ann's and one of bob's; the header `caller` says who asks. */
async function open(t: TestContext) {
  const store = await openSqliteStore({ path: ':memory:' });
  const app = Fastify();
  t.after(async () => {
    await app.close();
    await store.close();
  });
  for (const [id, caller, ...letters] of [
    ['one', 'ann', 'a', 'b'],
    ['two', 'bob', 'c'],
  ] as const) {
    const pictures = letters.map((letter) => samplePicture(letter));
    const generation = sampleGeneration(id, { caller, ...(id === 'two' && { candidates: 'set_1' }) });
    await createFinished(store, generation, { target: 'sandbox/fast', pictures, assets: pictures });
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
  const thumbnailUrl = ({ hash }: { hash: string }) => `thumbnail of ${hash.slice(0, 1)}`;
  addGalleryRoutes(app, { store, io: { now: () => 7 }, assetsUrl: () => 'http://host/v1/assets', thumbnailUrl });
  const list = async (caller: string, query = '') => {
    const { statusCode, body } = await app.inject({ url: `/v1/gallery${query}`, headers: { caller } });
    return { status: statusCode, ...JSON.parse(body) };
  };
  const mark = async (caller: string, payload: object) => {
    const answer = await app.inject({ method: 'POST', url: '/v1/gallery/marks', headers: { caller }, payload });
    return { status: answer.statusCode, ...JSON.parse(answer.body) };
  };
  return { list, mark };
}

interface Shown {
  readonly hash: string;
  readonly mark: string | null;
}
const letters = ({ data }: { readonly data: readonly Shown[] }) => data.map(({ hash }) => hash[0]).join('');

test('callers see their own, administrators everybody’s with whose each is', async (t) => {
  const { list } = await open(t);
  const own = await list('bob');
  assert.deepEqual(own, {
    ...{ status: 200, object: 'list', next: null },
    data: [
      {
        ...{
          object: 'picture',
          generation: 'two',
          index: 0,
          hash: HASH('c'),
          type: 'png',
          bytes: 10,
          width: 64,
          height: 48,
        },
        ...{ url: `http://host/v1/assets/${HASH('c')}.png`, thumbnail_url: 'thumbnail of c', prompt: 'a red fox' },
        ...{ route: 'image-best', target: 'sandbox/fast', created_at: 10, mark: null, candidates: 'set_1' },
      },
    ],
  });
  assert.equal(letters(await list('ann')), 'ab');
  const all = await list('admin');
  assert.deepEqual([letters(all), all.data[0].caller, all.data[2].candidates], ['cab', 'bob', null]);
  assert.equal(letters(await list('admin', '?caller=ann')), 'ab');
  assert.equal((await list('ann', '?caller=bob')).status, 403);
  assert.equal(letters(await list('ann', '?generation=two')), '');
});

test('a page leads to the next, and filters are refused by name', async (t) => {
  const { list } = await open(t);
  const first = await list('ann', '?limit=1&text=FOX&model=image-best&target=sandbox/');
  assert.equal(letters(first), 'a');
  assert.equal(letters(await list('ann', `?limit=1&text=FOX&after=${first.next}`)), 'b');
  for (const query of [
    'limit=201',
    'limit=0',
    'after=x',
    'mark=loved',
    'text=',
    'text=%00',
    'colour=red',
    `model=${'x'.repeat(201)}`,
  ]) {
    const answer = await list('ann', `?${query}`);
    assert.deepEqual([answer.status, answer.error?.param], [400, query.split('=')[0]], query);
  }
});

test('marks are the caller’s own, of what they see', async (t) => {
  const { list, mark } = await open(t);
  assert.deepEqual(await mark('ann', { hash: HASH('a'), mark: 'star' }), {
    ...{ status: 200, object: 'mark', hash: HASH('a'), mark: 'star' },
  });
  assert.equal((await mark('ann', { hash: HASH('c'), mark: 'star' })).status, 404);
  assert.equal((await mark('admin', { hash: HASH('a'), mark: 'reject' })).status, 200);
  const marks = async (caller: string) => (await list(caller)).data.map((one: Shown) => one.mark);
  assert.deepEqual(
    [await marks('ann'), await marks('admin')],
    [
      ['star', null],
      [null, 'reject', null],
    ],
  );
  assert.equal(letters(await list('ann', '?mark=star')), 'a');
  assert.equal(letters(await list('admin', '?mark=unrejected')), 'cb');
  await mark('ann', { hash: HASH('a'), mark: null });
  assert.equal(letters(await list('ann', '?mark=none')), 'ab');
  for (const [param, body] of [
    ['hash', { hash: 'A'.repeat(64), mark: 'star' }],
    ['hash', { mark: 'star' }],
    ['mark', { hash: HASH('a') }],
    ['mark', { hash: HASH('a'), mark: 'none' }],
    ['caller', { hash: HASH('a'), mark: 'star', caller: 'bob' }],
  ] as const) {
    const answer = await mark('ann', body);
    assert.deepEqual([answer.status, answer.error?.param], [400, param]);
  }
});
