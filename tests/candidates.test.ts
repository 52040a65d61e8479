/** Several pictures for one wish, as a caller meets them. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Answer, call } from './rig/call.ts';
import { FLEET_MODELS, startFleet } from './rig/fleet.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';

const ANN = { authorization: 'Bearer key-of-ann' };
const BOB = { authorization: 'Bearer key-of-bob' };
const ENV = { ONETAKE_API_KEYS: 'ann:key-of-ann,bob:key-of-bob' };
/** Two that are good, one that is refused, and one that is black. */
const MIXED = ['sandbox/ok', 'sandbox/policy', 'sandbox/black', 'sandbox/ok'].map((model) => ({ model }));
const PRICE_USD = 0.04;

interface Member {
  readonly index: number;
  readonly generation: string;
  readonly status: string;
  readonly model?: string;
  readonly url?: string;
  readonly score?: number;
  readonly flagged?: readonly string[];
  readonly failure?: { readonly code: string };
}

interface CandidateSet {
  readonly id: string;
  readonly status?: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly best: number | null;
  readonly picked: number | null;
  readonly members: readonly Member[];
  readonly price_usd: number | null;
}

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ env: ENV, yaml: 'limits:\n  "sandbox/slow:1.2": { concurrency: 1 }\n' });
});
after(() => gateway.close());

function ask(fields: object, headers: Record<string, string> = {}, timeoutMs?: number): Promise<Answer> {
  const body = { prompt: 'a red fox', size: '512x384', response_format: 'url', ...fields };
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  return call(`${gateway.url}/v1/images/generations`, { headers: { ...ANN, ...headers }, body, ...limit });
}

function setOf({ body }: Answer): CandidateSet {
  const set = body.onetake?.candidates as CandidateSet | undefined;
  assert.ok(set, JSON.stringify(body));
  return set;
}

async function read(id: string): Promise<CandidateSet> {
  const { status, body } = await call(`${gateway.url}/v1/candidates/${id}`, { headers: ANN });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as CandidateSet;
}

function pick(id: string, index: unknown, headers = ANN): Promise<Answer> {
  return call(`${gateway.url}/v1/candidates/${id}/pick`, { headers, body: { index } });
}

async function chargedFor(prompt: string): Promise<number> {
  const { entries } = await readLedger(gateway.sandboxUrl);
  return entries.filter((one) => one.prompt === prompt).reduce((sum, { charged }) => sum + charged, 0);
}

const statuses = ({ members }: CandidateSet) => members.map(({ status }) => status);

suite('candidates', { concurrency: true }, () => {
  test('of four, one refused and one black, two are good, one is flagged and one failed, and three are paid', async () => {
    const prompt = 'a fox in four ways';
    const answer = await ask({ prompt, candidates: MIXED });
    assert.equal(answer.status, 200, answer.text);
    const set = setOf(answer);
    assert.deepEqual(set.counts, { good: 2, failed: 1, flagged: 1 });
    assert.deepEqual(statuses(set), ['good', 'failed', 'flagged', 'good']);
    assert.ok(set.members[2]?.flagged?.includes('black'));
    assert.equal(set.members[1]?.failure?.code, 'content_policy_violation');
    assert.equal(answer.body.data?.length, 3, 'flagged ones were paid for too');
    assert.equal(await chargedFor(prompt), 3);
    assert.ok(Math.abs(Number(answer.body.onetake?.price_usd) - 3 * PRICE_USD) < 1e-9, answer.text);
    assert.equal(answer.headers['x-onetake-candidates'], set.id);
    assert.ok(Number(set.members[0]?.score) >= 0.5 && Number(set.members[2]?.score) < 0.5);
    for (const { url } of answer.body.data ?? []) assert.equal((await fetch(String(url))).status, 200);
    const seen = await read(set.id);
    assert.deepEqual([seen.status, statuses(seen)], ['completed', statuses(set)]);
    assert.deepEqual(
      seen.members.map(({ url }) => url !== undefined),
      [true, false, true, true],
    );
    assert.equal(seen.price_usd, answer.body.onetake?.price_usd);
  });

  test('the best is a good one, also where the black one stands first', async () => {
    const models = ['sandbox/black', 'sandbox/policy', 'sandbox/ok', 'sandbox/ok'].map((model) => ({ model }));
    const answer = await ask({ prompt: 'the best fox', candidates: models, pick: 'best', response_format: 'b64_json' });
    const { members, best } = setOf(answer);
    assert.deepEqual([answer.status, answer.body.data?.length], [200, 1]);
    const chosen = members.find(({ index }) => index === best);
    assert.equal(chosen?.status, 'good');
    assert.ok(members.every(({ status, score = 0 }) => status !== 'good' || score <= Number(chosen?.score)));
    const [made] = (answer.body.onetake?.images ?? []) as readonly { readonly sha256: string }[];
    assert.equal(chosen?.url?.includes(String(made?.sha256)), true);
    assert.ok(String(answer.body.data?.[0]?.b64_json).length > 100);
  });

  test('the first good one answers while the others go on', async () => {
    const models = ['sandbox/slow:3', 'sandbox/black', 'sandbox/ok'].map((model) => ({ model }));
    const startedAt = performance.now();
    const answer = await ask({ prompt: 'the first fox', onetake: { candidates: models, pick: 'first' } });
    const set = setOf(answer);
    assert.ok(performance.now() - startedAt < 2_900, 'it does not wait for the slow one');
    assert.deepEqual([answer.status, answer.body.data?.length, set.members[0]?.status], [200, 1, 'processing']);
    assert.equal(answer.body.data?.[0]?.url, set.members[2]?.url);
    const finished = await until('the slow one is finished', async () => {
      const seen = await read(set.id);
      return seen.status === 'completed' && seen;
    });
    assert.deepEqual(statuses(finished), ['good', 'flagged', 'good']);
  });

  test('once there is a first one, those that nothing was sent for are canceled', async () => {
    const prompt = 'one fox is enough';
    const answer = await ask({ prompt, model: 'sandbox/slow:1.2', candidates: 4, pick: 'first' });
    const { id } = setOf(answer);
    assert.deepEqual([answer.status, answer.body.data?.length], [200, 1]);
    const { counts } = await until('the set is completed', async () => {
      const seen = await read(id);
      return seen.status === 'completed' && seen;
    });
    // The second begins when the first ends, so it may be on its way.
    assert.ok(Number(counts.canceled) >= 2 && Number(counts.good) <= 2, JSON.stringify(counts));
    assert.equal(await chargedFor(prompt), counts.good);
  });
});

suite('a set', { concurrency: true }, () => {
  test('a person picks one, changes the pick, and cannot pick what is not there', async () => {
    const { id } = setOf(await ask({ prompt: 'a fox to choose', candidates: MIXED }));
    for (const index of [4, 4, 3]) {
      const picked = await pick(id, index);
      assert.deepEqual([picked.status, picked.body.picked], [200, index]);
    }
    assert.equal((await read(id)).picked, 3);
    for (const index of [2, 5, 0, '1', null]) {
      const refused = await pick(id, index);
      assert.deepEqual([refused.status, refused.body.error?.param], [400, 'index'], String(index));
    }
    assert.equal((await read(id)).picked, 3);
    for (const path of [`/v1/candidates/${id}`, `/v1/candidates/set_${'0'.repeat(24)}`, '/v1/candidates/x']) {
      assert.equal((await call(gateway.url + path, { headers: BOB })).status, 404, path);
    }
    assert.equal((await pick(id, 1, BOB)).status, 404);
    const { body } = await call(`${gateway.url}/v1/candidates?limit=100`, { headers: ANN });
    assert.ok(body.data?.some((one) => one.id === id && one.picked === 3));
  });

  test('the same key is the same set, at once and later, and another body under it is refused', async () => {
    const fields = { prompt: 'a fox with a key', candidates: 2 };
    const key = { 'idempotency-key': 'fox-1' };
    const together = await Promise.all([ask(fields, key), ask(fields, key), ask(fields, key)]);
    const later = await ask(fields, key);
    const ids = new Set([...together, later].map((answer) => setOf(answer).id));
    assert.equal(ids.size, 1);
    assert.equal(later.headers['idempotent-replayed'], 'true');
    assert.equal(await chargedFor(fields.prompt), 2);
    const other = await ask({ ...fields, candidates: 3 }, key);
    assert.deepEqual([other.status, other.body.error?.code], [422, 'idempotency_mismatch']);
  });
});

suite('a set that does not go well', { concurrency: true }, () => {
  test('all that fail are one error, with each of them beside it', async () => {
    const candidates = [{ model: 'sandbox/policy' }, { model: 'sandbox/policy' }];
    const answer = await ask({ prompt: 'a refused fox', candidates });
    assert.deepEqual([answer.status, answer.body.error?.code], [400, 'content_policy_violation'], answer.text);
    assert.deepEqual(setOf(answer).counts, { failed: 2 });
    assert.equal(answer.body.onetake?.price_usd, 0);
  });

  test('who leaves finds the same set again, and nothing is paid twice', async () => {
    const fields = { prompt: 'a fox for later', candidates: [{ model: 'sandbox/slow:2' }, { model: 'sandbox/ok' }] };
    await assert.rejects(ask(fields, {}, 700));
    const id = await until('the set is listed', async () => {
      const { body } = await call(`${gateway.url}/v1/candidates?limit=100`, { headers: ANN });
      for (const one of body.data ?? []) {
        const seen = await read(String(one.id));
        if ((seen as unknown as { prompt: string }).prompt === fields.prompt) return seen.id;
      }
      return undefined;
    });
    const again = await ask(fields);
    assert.deepEqual([again.status, setOf(again).id, again.headers['x-onetake-attached']], [200, id, id]);
    assert.equal(await chargedFor(fields.prompt), 2);
    const fresh = await ask(fields);
    assert.notEqual(setOf(fresh).id, id, 'what was given is not given again');
  });

  test('whoever need not wait is handed the set', async () => {
    const fields = { prompt: 'a fox by and by', candidates: [{ model: 'sandbox/slow:1' }, { model: 'sandbox/ok' }] };
    const answer = await ask(fields, { prefer: 'respond-async' });
    const { id } = answer.body as unknown as CandidateSet;
    assert.deepEqual([answer.status, answer.headers.location], [202, `/v1/candidates/${id}`]);
    const done = await until('the set is completed', async () => (await read(id)).status === 'completed');
    assert.ok(done);
  });

  test('a candidate that cannot be made is refused before anything is spent', async () => {
    const prompt = 'a fox by a retired model';
    const fields = { prompt, candidates: [{ model: 'sandbox/ok' }, { model: 'dall-e-3' }] };
    const answer = await ask(fields, { 'x-onetake-aliases': 'off' });
    assert.deepEqual([answer.status, answer.body.error?.code], [404, 'model_retired'], answer.text);
    assert.match(String(answer.body.error?.message), /^candidate 2: /);
    assert.equal(await chargedFor(prompt), 0);
  });
});

test('a restart keeps the set, its pick and its pictures, and its key', async () => {
  const home = await startGateway({ env: ENV });
  const running = gateway;
  gateway = home;
  try {
    const fields = { prompt: 'a fox that stays', candidates: MIXED };
    const key = { 'idempotency-key': 'fox-2' };
    const set = setOf(await ask(fields, key));
    assert.equal((await pick(set.id, 4)).status, 200);
    await home.kill();
    gateway = await startGateway({ env: ENV, home: home.home });
    const seen = await read(set.id);
    assert.deepEqual(
      [statuses(seen), seen.picked, seen.counts],
      [statuses(set), 4, { good: 2, failed: 1, flagged: 1 }],
    );
    assert.equal((await fetch(String(seen.members[0]?.url))).status, 200);
    assert.equal(setOf(await ask(fields, key)).id, set.id);

    const cut = { prompt: 'a fox cut off', candidates: [{ model: 'sandbox/slow:4' }, { model: 'sandbox/ok' }] };
    const lost = assert.rejects(ask(cut));
    const begun = await until('one of them is made', async () => {
      const { body } = await call(`${gateway.url}/v1/candidates?limit=1`, { headers: ANN });
      const newest = await read(String(body.data?.[0]?.id));
      return newest.id !== set.id && newest.members[1]?.status === 'good' && newest;
    });
    await gateway.kill();
    await lost;
    gateway = await startGateway({ env: ENV, home: home.home });
    const again = await ask(cut);
    assert.deepEqual([again.status, setOf(again).id, again.headers['x-onetake-attached']], [200, begun.id, begun.id]);
    assert.equal(setOf(again).members[1]?.url?.split('/').at(-1), begun.members[1]?.url?.split('/').at(-1));
  } finally {
    await gateway.close();
    gateway = running;
  }
});

test('two gateways on one database make one set of one key, and each sees what was picked at the other', async () => {
  const fleet = await startFleet(2);
  try {
    const [one, other] = fleet.nodes();
    assert.ok(one && other);
    const models = ['ok', 'black'].map((model) => ({ model: `${FLEET_MODELS.call}/${model}` }));
    const body = { prompt: 'a fox of two gateways', size: '512x384', candidates: models, response_format: 'url' };
    const headers = { 'idempotency-key': 'fox-3' };
    const answers = await Promise.all(
      [one, other, one, other].map(({ url }) => call(`${url}/v1/images/generations`, { headers, body })),
    );
    for (const { status, text } of answers) assert.equal(status, 200, text);
    const [id, ...others] = new Set(answers.map((answer) => setOf(answer).id));
    assert.deepEqual(others, []);
    const { entries } = await readLedger(fleet.sandbox.url);
    assert.equal(entries.filter(({ charged }) => charged > 0).length, 2);
    assert.equal((await call(`${one.url}/v1/candidates/${id}/pick`, { body: { index: 1 } })).status, 200);
    const seen = (await call(`${other.url}/v1/candidates/${id}`)).body as unknown as CandidateSet;
    assert.deepEqual([seen.picked, statuses(seen)], [1, ['good', 'flagged']]);
  } finally {
    await fleet.close();
  }
});
