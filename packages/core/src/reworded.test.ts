import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldGeneration } from './generation.ts';
import { type Event, foldRun } from './journal.ts';
import type { Plan } from './plan.ts';
import type { MilderWords } from './policy/milder-words.ts';
import type { Ladder } from './policy/refusal-ladder.ts';
import { isRewritten } from './policy/refusal-steps.ts';
import { PARKED, run } from './run.ts';
import { samplePlan } from './testing/samples.ts';
import { createWorld, GOOD_BODY, type Play, type Scenario } from './testing/simulated-world.ts';

const LADDER: Ladder = { rungs: ['rewrite'], maxRungs: 3, maxPaid: 2, rewriter: 'chat/small' };
const MILDER: MilderWords = { ok: true, prompt: 'a lighthouse in the sun', generation: 'gen_words' };
const NONE: MilderWords = { ok: false, why: 'it declines', generation: 'gen_words' };

function answered(status: number, body: string, truth: Play['truth']): Play {
  return { truth, behaviour: { kind: 'answer', afterMs: 5, status, body } };
}

const envelope = (message: string) =>
  JSON.stringify({ error: { message, type: 'image_generation_user_error', code: 'moderation_blocked', param: null } });
const REFUSED = answered(400, envelope('safety_violations=[violence]'), 'free');
const HATE = answered(400, envelope('safety_violations=[hate]'), 'free');
const GOOD = answered(200, GOOD_BODY, 'good');

interface Told {
  readonly submits: readonly Play[];
  readonly ladder?: Partial<Ladder>;
  readonly words?: MilderWords;
  readonly plan?: Partial<Plan>;
}

function scenarioOf({ submits, ladder = {}, words = MILDER, plan = {} }: Told): Scenario {
  return {
    plan: { ...samplePlan(['a', 'b'], { refusals: { ...LADDER, ...ladder } }), ...plan },
    scripts: { 'a/model': { submits, polls: [] }, 'b/model': { submits: [GOOD], polls: [] } },
    journalMs: 5,
    presenceTurnsMs: [],
    cancelMs: undefined,
    words: { afterMs: 2_000, answer: words },
  };
}

async function play(told: Told, past: readonly Event[] = []) {
  const scenario = scenarioOf(told);
  const world = createWorld(scenario, past, past.at(-1)?.at ?? 0);
  const outcome = await world.io.drive(run('run', scenario.plan, world.journal, world.environment));
  assert.ok(outcome !== PARKED);
  const rungs = world.durable.filter((event) => event.type === 'rung-taken');
  return { ...world, outcome, rungs, prompts: world.sends.map(({ prompt }) => prompt) };
}

test('a chat model’s words are journaled before they are sent, and shown', async () => {
  const { outcome, prompts, rungs, sends, durable } = await play({ submits: [REFUSED, GOOD] });
  assert.deepEqual([outcome.ok, prompts], [true, ['a lighthouse', 'a lighthouse in the sun']]);
  const [rung] = rungs;
  assert.deepEqual(
    [rung?.by, rung?.prompt, rung?.generation, rung?.failed],
    ['chat/small', 'a lighthouse in the sun', 'gen_words', undefined],
  );
  assert.equal(rung?.told, 'the prompt is said otherwise by chat/small');
  assert.ok(sends[1]?.durable.some(({ type }) => type === 'rung-taken'));
  assert.ok(foldGeneration([durable]).runs.every(isRewritten));
});

test('they hold for every target after it, and are asked for once', async () => {
  const ladder: Partial<Ladder> = { rungs: ['rewrite', 'rewrite', 'next_target'] };
  const { outcome, prompts, asks } = await play({ submits: [REFUSED], ladder });
  const milder = 'a lighthouse in the sun';
  assert.deepEqual([outcome.ok, prompts, asks.length], [true, ['a lighthouse', milder, milder], 1]);
});

test('where it has no words the rung is taken without effect, and nothing is sent for it', async () => {
  const { outcome, prompts, rungs, durable } = await play({ submits: [REFUSED], words: NONE });
  assert.ok(!outcome.ok && outcome.failure.kind === 'policy');
  assert.deepEqual(prompts, ['a lighthouse']);
  assert.deepEqual([rungs[0]?.failed, rungs[0]?.generation], ['it declines', 'gen_words']);
  assert.equal(rungs[0]?.told, 'no milder words from chat/small: it declines');
  assert.equal(isRewritten(foldRun(durable)), false);
});

test('the ladder goes on after it, in the caller’s words, and the refusal is paid for once', async () => {
  const withheld = answered(200, envelope('withheld after drawing'), 'free');
  const ladder: Partial<Ladder> = { rungs: ['rewrite', 'next_target'] };
  for (const submits of [[REFUSED], [withheld]]) {
    const { outcome, prompts, rungs } = await play({ submits, ladder, words: NONE });
    assert.deepEqual([outcome.ok, prompts], [true, ['a lighthouse', 'a lighthouse']]);
    assert.deepEqual(
      rungs.map(({ rung, target }) => [rung, target]),
      [
        ['rewrite', 'a/model'],
        ['next_target', 'b/model'],
      ],
    );
  }
});

test('local rules go first, being free', async () => {
  const change = { from: 'lighthouse', to: 'tower', rule: 'say', at: 2 };
  const plan = { rewrite: { prompt: 'a tower', changes: [change] } };
  const { prompts, asks } = await play({ submits: [REFUSED], plan, ladder: { rungs: ['rewrite', 'rewrite'] } });
  assert.deepEqual([prompts, asks.length], [['a lighthouse', 'a tower'], 0]);
});

test('nobody is asked about what is clear, what has no words, nor where another attempt may not be paid', async () => {
  for (const told of [
    { submits: [HATE] },
    { submits: [REFUSED], ladder: { maxPaid: 0 } },
    { submits: [REFUSED], ladder: { rungs: ['same_again'] } as const },
    { submits: [REFUSED], plan: { request: { ...samplePlan().request, operation: 'variation' } } as const },
  ] satisfies readonly Told[]) {
    const { outcome, asks, sends } = await play(told);
    assert.deepEqual([outcome.ok, asks.length, sends.length], [false, 0, 1]);
  }
});

test('a prompt too long to be asked about, and a chat model that is gone, end the rung', async () => {
  const long = { request: { ...samplePlan().request, prompt: 'x '.repeat(7_000) } };
  const { rungs, asks } = await play({ submits: [REFUSED], plan: long });
  assert.match(rungs[0]?.failed ?? '', /longer than 12000 characters/);
  assert.equal(asks.length, 0);
  const scenario = scenarioOf({ submits: [REFUSED] });
  const world = createWorld(scenario);
  const { rewriteWith: _, ...environment } = world.environment;
  await world.io.drive(run('run', scenario.plan, world.journal, environment));
  const gone = world.durable.find((event) => event.type === 'rung-taken');
  assert.match(gone?.failed ?? '', /no chat model to ask any more/);
});

test('a restart after the rung goes on with the same words, and asks nobody', async () => {
  const { durable } = await play({ submits: [REFUSED, GOOD] });
  const end = durable.findIndex(({ type }) => type === 'rung-taken') + 1;
  const other: MilderWords = { ok: true, prompt: 'other words' };
  const again = await play({ submits: [REFUSED, GOOD], words: other }, durable.slice(0, end));
  assert.deepEqual([again.outcome.ok, again.prompts, again.asks.length], [true, ['a lighthouse in the sun'], 0]);
});

test('who cancels, and who parks, while words are looked for leaves no rung behind', async () => {
  const canceled = createWorld({ ...scenarioOf({ submits: [REFUSED] }), cancelMs: 500 });
  const { plan } = scenarioOf({ submits: [REFUSED] });
  const outcome = await canceled.io.drive(run('run', plan, canceled.journal, canceled.environment));
  assert.ok(outcome !== PARKED && !outcome.ok && outcome.failure.kind === 'policy');
  assert.ok(!canceled.durable.some(({ type }) => type === 'rung-taken'));
  const parked = createWorld(scenarioOf({ submits: [REFUSED] }));
  const park = new AbortController();
  parked.io.timer(500, () => park.abort());
  const environment = { ...parked.environment, park: park.signal };
  assert.equal(await parked.io.drive(run('run', plan, parked.journal, environment)), PARKED);
  assert.equal(parked.durable.at(-1)?.type, 'attempt-ended');
});
