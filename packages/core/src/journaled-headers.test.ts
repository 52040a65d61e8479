/** Headers of a provider's answers, from the wire into the journal: of pictures and of chat, made and refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from './journal.ts';
import { run } from './run.ts';
import { answered, completion, refusedWith, runScriptedChat, sampleChatPlan } from './testing/chat-rig.ts';
import { samplePlan } from './testing/samples.ts';
import { ACCEPTED_BODY, createWorld, GOOD_BODY, type Play } from './testing/simulated-world.ts';

/** Of the simulated connections. */
const SECRET = 'sk-simulated-secret';
const SENT = {
  'x-request-id': 'req_1',
  'x-ratelimit-remaining-requests': '7',
  'set-cookie': 'session=canary',
  'x-internal': 'canary',
  via: `1.1 proxy of ${SECRET}`,
};
const KEPT = {
  'x-request-id': 'req_1',
  'x-ratelimit-remaining-requests': '7',
  'content-type': 'application/json',
  via: '1.1 proxy of [redacted]',
};

const answer = (status: number, body: string): Play => ({
  truth: 'free',
  behaviour: { kind: 'answer', afterMs: 10, status, body, headers: SENT },
});
const REFUSAL = '{"error":{"message":"blocked","code":"moderation_blocked"}}';

async function eventsOf(
  submits: readonly Play[],
  polls: readonly Play[] = [],
  secret = SECRET,
): Promise<readonly Event[]> {
  const plan = samplePlan(['a'], { maxPaidAttempts: 1 });
  const made = createWorld({
    ...{ plan, scripts: { 'a/model': { submits, polls } } },
    ...{ journalMs: 1, presenceTurnsMs: [], cancelMs: undefined },
  });
  const connection = (id: string) => {
    const known = made.environment.connection(id);
    return known && { ...known, secret };
  };
  await made.io.drive(run('run', plan, made.journal, { ...made.environment, connection }));
  return made.durable;
}

function headersIn(events: readonly Event[]) {
  assert.ok(!/canary|simulated-secret/.test(JSON.stringify(events)), JSON.stringify(events));
  return events.flatMap((event) => (event.type === 'attempt-ended' ? [event.headers] : []));
}

test('what the answer to pictures said in its headers is journaled, without secrets', async () => {
  assert.deepEqual(headersIn(await eventsOf([answer(200, GOOD_BODY)])), [KEPT]);
  assert.deepEqual(headersIn(await eventsOf([answer(400, REFUSAL)])), [KEPT]);
  const plain: Play = {
    truth: 'accepted',
    behaviour: { kind: 'answer', afterMs: 1, status: 200, body: ACCEPTED_BODY },
  };
  assert.deepEqual(headersIn(await eventsOf([plain], [answer(200, GOOD_BODY)])), [KEPT], 'of the look that ended it');
});

test('and of an answer that broke off, as far as it came', async () => {
  const { behaviour } = answer(200, GOOD_BODY);
  assert.ok(behaviour.kind === 'answer');
  const cut: Play = { truth: 'lost', behaviour: { ...behaviour, cut: { atByte: 20, by: 'reset' } } };
  assert.deepEqual(headersIn(await eventsOf([cut])), [KEPT]);
  assert.deepEqual(headersIn(await eventsOf([{ truth: 'lost', behaviour: { kind: 'reset', afterMs: 5 } }])), [
    undefined,
  ]);
});

test('a key that stands where a value is cut leaves no part of it', async () => {
  const secret = 'correct.horse.battery.staple';
  const headers = { via: `${'x '.repeat(95)}${secret}` };
  for (const cut of [undefined, { atByte: 20, by: 'reset' }] as const) {
    const play: Play = {
      truth: 'good',
      behaviour: { kind: 'answer', afterMs: 10, status: 200, body: GOOD_BODY, headers, ...(cut && { cut }) },
    };
    const events = await eventsOf([play], [], secret);
    assert.ok(!JSON.stringify(events).includes('correct'), JSON.stringify(events));
    const { via = '' } = headersIn(events)[0] ?? {};
    assert.equal(via.length, 200);
  }
});

test('of chat too', async () => {
  const plan = sampleChatPlan(['a'], { stream: false }, { maxPaidAttempts: 1 });
  for (const play of [answered(completion('hello'), 200, SENT), refusedWith(400, { message: 'no' }, SENT)]) {
    const { durable } = await runScriptedChat({ plan, scripts: { a: [play] } });
    const [headers] = headersIn(durable.map((event) => ({ ...event })));
    assert.deepEqual(headers && Object.keys(headers).slice(0, 4), [
      'x-request-id',
      'x-ratelimit-remaining-requests',
      'content-type',
      'via',
    ]);
  }
});

test('a journal grows by no more than 1 KiB of headers per attempt', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`openai-${'x'.repeat(index)}y`, 'zz '.repeat(100)]),
  );
  const body: Play = {
    truth: 'good',
    behaviour: { kind: 'answer', afterMs: 1, status: 200, body: GOOD_BODY, headers: many },
  };
  const [headers] = headersIn(await eventsOf([body]));
  assert.ok(headers && JSON.stringify(headers).length <= 1_024 + 24);
});
