import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from './journal.ts';
import type { Claim, Limits, Turn } from './pacing.ts';
import { readLimits } from './policy/limit-words.ts';
import { createPacerRig, NOW, settled } from './testing/pacer-rig.ts';
import { sampleFailed } from './testing/samples.ts';

const A_MINUTE: Limits = { tokens: [{ count: 1_000, windowMs: 60_000 }] };
/** A minute, and what the clocks of two machines may differ by. */
const MOVED = NOW + 60_300;

/** Chat asks for tokens, and for no picture. */
function createChatRig(limits: Limits | undefined) {
  const rig = createPacerRig({ limits: () => limits });
  const turns: Turn[] = [];
  const ask = async (tokens?: number) => {
    const claim: Claim = { images: 0, ...(tokens !== undefined && { tokens }) };
    const asked = { target: 't', credentials: () => ['key'], claim, ticket: { caller: '', tag: turns.length } };
    const [turn] = await rig.pacer.take(asked);
    assert.ok(turn);
    turns.push(turn);
    return turn;
  };
  const report = () => {
    const [one] = rig.pacer.report();
    assert.ok(one);
    return one;
  };
  return { ...rig, ask, turns, report };
}

const used = (tokens: number): Outcome => ({ ok: true, images: [], usage: { total_tokens: tokens } });
const brokeOff = (tokens: number): Outcome => ({
  ...sampleFailed('network', { certainty: 'ambiguous' }),
  usage: { input_tokens: 1, output_tokens: tokens - 1 },
});

test('of 1,000 tokens a minute two claims of 400 go at once, and the third when the window moves', async () => {
  const { clock, ask, turns } = createChatRig(A_MINUTE);
  const asked = [ask(400), ask(400), ask(400)];
  await settled();
  assert.equal(turns.length, 2);
  await clock.drive(Promise.all(asked));
  assert.equal(clock.now(), MOVED);
});

test('what an answer used less than was estimated is free for the next, at once', async () => {
  const { clock, ask, turns, report } = createChatRig(A_MINUTE);
  const asked = [ask(400), ask(400), ask(400)];
  await settled();
  turns[0]?.settle(used(150));
  await settled();
  assert.equal(turns.length, 3);
  assert.equal(report().used.tokens, 950);
  await Promise.all(asked);
  assert.equal(clock.now(), NOW);
});

test('an estimate that was too low is charged in full', async () => {
  const { clock, ask, report } = createChatRig(A_MINUTE);
  (await ask(100)).settle(used(950));
  assert.equal(report().used.tokens, 950);
  await clock.drive(ask(100));
  assert.equal(clock.now(), MOVED);
});

test('what an answer used that broke off is charged too, and no more', async () => {
  for (const [outcome, left] of [
    [brokeOff(900), 900],
    [brokeOff(50), 50],
    [{ ...sampleFailed('policy', { certainty: 'completed' }), usage: { total_tokens: 700 } }, 700],
    [sampleFailed('network', { certainty: 'ambiguous' }), 400],
    [sampleFailed('network', { certainty: 'not_sent' }), 0],
    [sampleFailed('throttled'), 0],
  ] as const) {
    const { ask, report } = createChatRig(A_MINUTE);
    (await ask(400)).settle(outcome);
    assert.equal(report().used.tokens, left, JSON.stringify(outcome));
    assert.equal(report().inFlight, 0);
  }
});

test('a claim above the limit waits for an empty window, and no longer', async () => {
  const { clock, ask } = createChatRig(A_MINUTE);
  (await ask(10)).settle(used(10));
  await clock.drive(ask(5_000));
  assert.equal(clock.now(), MOVED);
});

test('a chat is no picture: a limit of images never blocks it', async () => {
  const { clock, pacer, ask, turns } = createChatRig({ images: [{ count: 1, windowMs: 60_000 }] });
  const picture = { target: 't', credentials: () => ['key'], claim: { images: 1 }, ticket: { caller: '', tag: 0 } };
  await pacer.take(picture);
  await Promise.all([1, 2, 3, 4, 5].map(() => ask(100)));
  assert.equal(turns.length, 5);
  assert.equal(clock.now(), NOW);
  assert.equal(pacer.expect('t', { images: 0, tokens: 100 }, undefined), undefined);
  assert.ok(pacer.expect('t', { images: 1 }, undefined));
});

test('requests and what is in flight hold for chat', async () => {
  const requests = createChatRig({ requests: [{ count: 2, windowMs: 60_000 }] });
  await requests.clock.drive(Promise.all([requests.ask(1), requests.ask(1), requests.ask(1)]));
  assert.equal(requests.clock.now(), MOVED);

  const flight = createChatRig({ concurrency: 2 });
  const asked = [flight.ask(1), flight.ask(1), flight.ask(1)];
  await settled();
  assert.equal(flight.turns.length, 2);
  flight.turns[0]?.settle(used(1));
  await Promise.all(asked);
  assert.equal(flight.clock.now(), NOW);
});

test('without an estimate a call counts as much as those before it did', async () => {
  const { clock, ask, turns } = createChatRig(A_MINUTE);
  (await ask()).settle(used(600));
  const more = [ask(), ask()];
  await settled();
  assert.equal(turns.length, 1);
  await clock.drive(Promise.race(more));
  assert.equal(clock.now(), MOVED);
});

const HEADERS = {
  'x-ratelimit-limit-tokens': '1000',
  'x-ratelimit-remaining-tokens': '900',
  'x-ratelimit-reset-tokens': '6s',
};

test('headers tell the limit: from then on estimates are held to it', async () => {
  const { clock, ask, turns, report } = createChatRig(undefined);
  const first = await ask(100);
  first.observe(readLimits(HEADERS, '', clock.now()));
  assert.deepEqual(report().limits, A_MINUTE);
  assert.equal(report().source, 'headers');
  first.settle(used(100));
  assert.equal(report().used.tokens, 100);
  const asked = [ask(500), ask(400), ask(400)];
  await settled();
  assert.equal(turns.length, 3);
  await clock.drive(Promise.all(asked));
  assert.equal(clock.now(), MOVED);
});

test('headers that leave no tokens close the target until their reset', async () => {
  const { clock, ask } = createChatRig(undefined);
  const told = { ...HEADERS, 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '12s' };
  const first = await ask(100);
  first.observe(readLimits(told, '', clock.now()));
  first.settle(used(100));
  await clock.drive(ask(100));
  assert.equal(clock.now(), NOW + 12_000);
});

test('a 429 that names tokens ends with a limit of tokens, not of pictures', async () => {
  const { ask, report } = createChatRig(undefined);
  const turn = await ask(800);
  const message = 'Rate limit reached for gpt-4o on tokens per min (TPM): Limit 1000, Used 900, Requested 800.';
  turn.settle(sampleFailed('throttled', { throttle: 'tokens', message }));
  assert.deepEqual(report().limits, A_MINUTE);
});

test('a 429 of chat that names nothing shows no limit of pictures', async () => {
  const { ask, report } = createChatRig(undefined);
  for (let index = 0; index < 4; index += 1) (await ask(100)).settle(used(100));
  (await ask(100)).settle(sampleFailed('throttled', { message: 'Rate limit exceeded.' }));
  assert.equal(report().limits.images, undefined);
});
