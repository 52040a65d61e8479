/** What a key may spend: never passed, whatever runs at once, fails, is killed, or stays unknown. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Answer, call, generate } from './rig/call.ts';
import { temporaryDirectory } from './rig/directories.ts';
import { startFleet } from './rig/fleet.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import {
  adminOf,
  awayFromMidnight,
  costsOf,
  createKey,
  type Headers,
  nextMidnight,
  settledDown,
  standingOf,
  yamlWith,
} from './rig/money.ts';
import { until } from './rig/poll.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

const PRICES = {
  ...{ crowd: 0.05, fine: 0.05, dear: 3, 'slow:30': 0.05, 'reset-after-accept': 0.05, '404': 0.05, pictures: 0.05 },
  after: 0.05,
};
const MORE = `  lab/split: { price: { per_image_usd: 0.05 }, max_images_per_call: 1 }
  lab/talk: { price: { per_million_tokens_usd: { input: 1, output: 4 } } }
  "lab/slow:31": { price: { per_million_tokens_usd: { input: 1, output: 4 } } }
routes:
  dearer: {targets: ["lab/404", lab/dear]}
  cheaper: {targets: [lab/dear, lab/fine]}`;

let sandbox: RunningSandbox;
let gateway: RunningGateway;
before(async () => {
  await awayFromMidnight();
  sandbox = await startSandbox();
  gateway = await startGateway({ yaml: yamlWith(sandbox, PRICES, MORE) });
});
after(async () => {
  await gateway?.close();
  await sandbox?.close();
});

function ask(model: string, prompt: string, headers: Headers, fields: object = {}): Promise<Answer> {
  return generate(gateway.url, { model, prompt, ...fields }, { headers });
}

/** So many requests at once, shared out among these gateways. */
function crowd(gateways: readonly RunningGateway[], headers: Headers, requests: number, model = 'lab/crowd') {
  return Promise.all(
    Array.from({ length: requests }, (_, index) => {
      const { url } = gateways[index % gateways.length] ?? gateway;
      return generate(url, { model, prompt: `fox ${index}` }, { headers });
    }),
  );
}

function countStatus(answers: readonly Answer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}

function assertRefused({ status, headers, body }: Answer, key: string): void {
  const { budget, retry_after_ms: retryAfterMs, billed } = body.onetake ?? {};
  assert.deepEqual([status, body.error?.code, body.error?.type], [402, 'budget_exceeded', 'permission_error']);
  assert.deepEqual([headers['x-should-retry'], headers['retry-after'], billed], ['false', undefined, 'no']);
  const standing = budget as Record<string, unknown>;
  assert.deepEqual([standing.key, standing.window, standing.limit_usd], [key, 'day', 5]);
  assert.equal(standing.resets_at, nextMidnight());
  assert.ok(typeof retryAfterMs === 'number' && retryAfterMs > 0 && retryAfterMs <= 86_400_000);
  const { message = '' } = body.error ?? {};
  assert.ok(message.includes(nextMidnight().replace('.000', '')), message);
}

suite('one budget, many at once', () => {
  test('200 requests of $0.05 with $5 a day are 100 pictures and 100 refusals that say when', async () => {
    const headers = await createKey(gateway, 'app', { budget: { usd: 5, per: 'day' } });
    const answers = await crowd([gateway], headers, 200);
    assert.deepEqual([countStatus(answers, 200), countStatus(answers, 402)], [100, 100]);
    assert.deepEqual(await countOf(sandbox.url, 'crowd'), { requests: 100, charged: 100 });
    for (const answer of answers) if (answer.status !== 200) assertRefused(answer, 'app');
    assert.deepEqual(await standingOf(gateway, 'app'), { spent: 5, held: 0, left: 0 });
    const { data } = await costsOf(gateway, '&by=key&caller=app');
    assert.deepEqual([data[0]?.requests, data[0]?.images, data[0]?.spent_usd], [200, 100, 5]);
  });

  test('two gateways on one PostgreSQL share one key’s budget', { timeout: 120_000 }, async () => {
    const fleet = await startFleet(2, [], ['models:', '  lab2/crowd: { price: { per_image_usd: 0.05 } }']);
    try {
      const [first, second] = fleet.nodes();
      assert.ok(first && second);
      const headers = await createKey(first, 'app', { budget: { usd: 5, per: 'day' } });
      await until('the other gateway knows the key', async () => {
        return (await call(`${second.url}/v1/models`, { headers })).status === 200;
      });
      const answers = await crowd([first, second], headers, 200, 'lab2/crowd');
      assert.deepEqual([countStatus(answers, 200), countStatus(answers, 402)], [100, 100]);
      assert.deepEqual(await countOf(fleet.sandbox.url, 'crowd'), { requests: 100, charged: 100 });
      for (const answer of answers) if (answer.status !== 200) assertRefused(answer, 'app');
      for (const node of [first, second])
        assert.deepEqual(await standingOf(node, 'app'), { spent: 5, held: 0, left: 0 });
    } finally {
      await fleet.close();
    }
  });

  test('a budget of pictures counts pictures, also those of one request', async () => {
    const headers = await createKey(gateway, 'pictures', { images: { count: 5, per: 'day' } });
    const first = await ask('lab/pictures', 'three', headers, { n: 3 });
    assert.deepEqual([first.status, first.body.data?.length], [200, 3]);
    const second = await ask('lab/pictures', 'three more', headers, { n: 3 });
    const { budget } = second.body.onetake ?? {};
    assert.deepEqual([second.status, (budget as Record<string, unknown>).limit_images], [402, 5]);
    // Of a model that makes one at a time, those that there is room for.
    const third = await ask('lab/split', 'three of one', headers, { n: 3 });
    assert.deepEqual([third.status, third.body.data?.length], [200, 2]);
    assert.deepEqual(
      third.body.onetake?.missing?.map(({ code }) => code),
      ['budget_exceeded'],
    );
    assert.equal((await ask('lab/pictures', 'one', headers)).status, 402);
    assert.deepEqual(await standingOf(gateway, 'pictures'), { spent: 5, held: 0, left: 0 });
    assert.equal((await countOf(sandbox.url, 'pictures')).charged, 3);
    assert.equal((await countOf(sandbox.url, 'split')).charged, 2);
  });
});

suite('what else costs money', () => {
  test('a fallback to a dearer target that does not fit is not made', async () => {
    const headers = await createKey(gateway, 'small', { budget: { usd: 1, per: 'day' } });
    const { status, body } = await ask('dearer', 'a fox', headers);
    assert.deepEqual([status, body.error?.code], [404, 'model_not_found']);
    assert.equal((await countOf(sandbox.url, 'dear')).requests, 0);
    assert.deepEqual(await standingOf(gateway, 'small'), { spent: 0, held: 0, left: 1 });
    const cheaper = await ask('cheaper', 'a fox', headers);
    assert.deepEqual([cheaper.status, cheaper.headers['x-onetake-model']], [200, 'fine']);
    assert.deepEqual(await standingOf(gateway, 'small'), { spent: 0.05, held: 0, left: 0.95 });
  });

  test('a price that nobody knows is refused, unless the key allows it', async () => {
    const careful = await createKey(gateway, 'careful', { budget: { usd: 1, per: 'day' } });
    const refused = await ask('lab/unpriced', 'a fox', careful);
    assert.deepEqual([refused.status, refused.body.error?.code], [402, 'budget_exceeded']);
    assert.match(refused.body.error?.message ?? '', /models: lab\/unpriced.*--allow-unknown-price/);
    assert.equal((await countOf(sandbox.url, 'unpriced')).requests, 0);
    const fields = { budget: { usd: 1, per: 'day' }, allow_unknown_price: true };
    const lax = await createKey(gateway, 'lax', fields);
    assert.equal((await ask('lab/unpriced', 'a fox', lax)).status, 200);
    const { data } = await costsOf(gateway, '&by=key&caller=lax');
    assert.deepEqual([data[0]?.spent_usd, data[0]?.unpriced], [0, 1]);
  });

  test('a chat of a known price is held to the budget too', async () => {
    const headers = await createKey(gateway, 'chat', { budget: { usd: 0.01, per: 'day' } });
    const messages = [{ role: 'user', content: 'hello' }];
    const chat = (fields: object) =>
      call(`${gateway.url}/v1/chat/completions`, { body: { model: 'lab/talk', messages, ...fields }, headers });
    assert.equal((await chat({ max_tokens: 10_000 })).status, 402);
    assert.equal((await chat({ max_tokens: 30, n: 100 })).status, 402);
    // A field that this endpoint does not have bounds nothing, and of two the larger counts.
    assert.equal((await chat({ max_output_tokens: 1 })).status, 402);
    assert.equal((await chat({ max_completion_tokens: 1, max_tokens: 10_000 })).status, 402);
    assert.equal((await chat({ max_tokens: 10 })).status, 200);
    const { spent, held } = await until('the chat is booked', async () => {
      const standing = await standingOf(gateway, 'chat');
      return standing.held === 0 && standing.spent > 0 && standing;
    });
    assert.ok(spent < 0.001 && held === 0);
    assert.equal((await countOf(sandbox.url, 'talk')).requests, 1);
  });
});

suite('what nobody knows', () => {
  const settle = (id: unknown, verdict: object, headers = adminOf(gateway)) =>
    call(`${gateway.url}/v1/generations/${id}/settle`, { body: verdict, headers });

  test('an unknown outcome is held until it is settled as free', async () => {
    const headers = await createKey(gateway, 'unknown', { budget: { usd: 0.05, per: 'day' } });
    const lost = await ask('lab/reset-after-accept', 'a fox', headers);
    assert.deepEqual([lost.status, lost.body.error?.code], [424, 'outcome_unknown']);
    assert.deepEqual(await standingOf(gateway, 'unknown'), { spent: 0, held: 0.05, left: 0 });
    assert.equal((await ask('lab/after', 'a fox', headers)).status, 402);
    const id = lost.headers['x-onetake-generation'];
    assert.equal((await settle(id, { verdict: 'free' }, headers)).status, 403);
    const settled = await settle(id, { verdict: 'free' });
    assert.deepEqual([settled.status, settled.body.settled, settled.body.billed], [200, 'free', 'no']);
    assert.equal((await settle(id, { verdict: 'charged' })).body.error?.code, 'outcome_known');
    assert.equal((await ask('lab/after', 'a fox', headers)).status, 200);
    assert.deepEqual(await standingOf(gateway, 'unknown'), { spent: 0.05, held: 0, left: 0 });
  });

  test('settled as charged it is spent, with what it cost', async () => {
    const headers = await createKey(gateway, 'charged', { budget: { usd: 0.1, per: 'day' } });
    const [first, second] = [
      await ask('lab/reset-after-accept', 'one', headers),
      await ask('lab/reset-after-accept', 'two', headers),
    ];
    const before = await costsOf(gateway, '&by=key&caller=charged');
    assert.deepEqual([before.total.spent_usd, before.total.unknown, before.total.possible_usd], [0, 2, 0.1]);
    const asExpected = await settle(first.headers['x-onetake-generation'], { verdict: 'charged' });
    assert.deepEqual([asExpected.body.settled, asExpected.body.price_usd], ['charged', 0.05]);
    await settle(second.headers['x-onetake-generation'], { verdict: 'charged', usd: 0.03 });
    assert.deepEqual(await standingOf(gateway, 'charged'), { spent: 0.08, held: 0, left: 0.02 });
    const { total } = await costsOf(gateway, '&by=key&caller=charged');
    assert.deepEqual([total.spent_usd, total.unknown, total.possible_usd], [0.08, 0, 0]);
    const { body } = await call(`${gateway.url}/v1/generations?unknown=1`, { headers });
    assert.deepEqual(body.data, []);
  });
});

test('kill -9 in the middle: what was held is neither lost nor held twice', { timeout: 120_000 }, async () => {
  const home = temporaryDirectory();
  const yaml = yamlWith(sandbox, PRICES, MORE);
  const first = await startGateway({ home, yaml });
  const headers = await createKey(first, 'app', { budget: { usd: 0.51, per: 'day' } });
  const talk = { model: 'lab/slow:31', messages: [{ role: 'user', content: 'hello' }], max_tokens: 1_000 };
  const chat = call(`${first.url}/v1/chat/completions`, { body: talk, headers }).catch(() => undefined);
  const cut = Array.from({ length: 6 }, (_, index) =>
    generate(first.url, { model: 'lab/slow:30', prompt: `cut ${index}` }, { headers }).catch(() => undefined),
  );
  await until('all are at the provider', async () => {
    const [pictures, chats] = await Promise.all([countOf(sandbox.url, 'slow:30'), countOf(sandbox.url, 'slow:31')]);
    return pictures.requests === 6 && chats.requests === 1;
  });
  await first.kill();
  await Promise.all([...cut, chat]);
  const again = await startGateway({ home });
  try {
    await settledDown(again);
    const { spent, held } = await standingOf(again, 'app');
    // Of the chat what went in, as nothing of it came.
    assert.ok(spent === 0 && held > 0.3 && held < 0.3001, `${held} held`);
    const answers = await crowd([again], headers, 10, 'lab/after');
    assert.deepEqual([countStatus(answers, 200), countStatus(answers, 402)], [4, 6]);
    const { total } = await costsOf(again);
    assert.deepEqual([total.spent_usd, total.unknown, total.possible_usd], [0.2, 7, held]);
    assert.deepEqual((await standingOf(again, 'app')).held, held);
  } finally {
    await again.close();
  }
});
