import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldGeneration } from './generation.ts';
import { billed, callerMayRepeat } from './http-answer.ts';
import { type Event, foldRun, type Outcome, openAttempt, paidAttempts } from './journal.ts';
import { ledgerOf } from './ledger.ts';
import { PARKED, run } from './run.ts';
import { scenarios } from './testing/scenarios.ts';
import { createWorld, type Scenario, type SimulatedSend, type Truth, type World } from './testing/simulated-world.ts';

const FIXED_SEED = 20_261_121;
const FIXED_RUNS = 2_000;
const RANDOM_RUNS = 1_000;
/** Between the crash and the start of the next process. */
const RESTART_MS = 700;

async function play(scenario: Scenario, world: World): Promise<Outcome> {
  const outcome = await world.io.drive(run('run', scenario.plan, world.journal, world.environment));
  assert.ok(outcome !== PARKED, 'nobody parked it');
  return outcome;
}

const submits = (sends: readonly SimulatedSend[]) => sends.filter((send) => send.kind === 'submit');
const isFree = ({ plan }: Scenario, { target }: SimulatedSend) =>
  plan.targets.some(({ id, free }) => id === target && free);
/** Submits that somebody could send a bill for. */
const billable = (scenario: Scenario, sends: readonly SimulatedSend[]) =>
  submits(sends).filter((send) => !isFree(scenario, send));
/** What the provider did, as far as anybody here could see: work whose answer was cut off by a clock is lost. */
function truthOf(send: SimulatedSend): Truth {
  const { truth } = send.play;
  if (!send.started() || truth === 'free') return 'free';
  return send.answeredAt() === undefined ? 'lost' : truth;
}

/** What the money rules allow, judged by what the providers truly did. */
function checkPayments(scenario: Scenario, sends: readonly SimulatedSend[]): void {
  const { payment, maxPaidAttempts, suspect } = scenario.plan.policy;
  const truths = billable(scenario, sends).map(truthOf);
  const told = `${payment}: ${truths.join()}`;
  assert.ok(truths.filter((truth) => truth !== 'free').length <= maxPaidAttempts, told);
  const jobFailed = sends.some((send) => send.kind === 'poll' && !isFree(scenario, send) && truthOf(send) === 'failed');
  const mayDoubt = suspect === 'retry_new_seed' && maxPaidAttempts > 1;
  const jobDoubted = mayDoubt && sends.some((send) => send.kind === 'poll' && truthOf(send) === 'doubted');
  for (const truth of truths.slice(0, -1)) {
    if (truth === 'doubted') assert.ok(mayDoubt, told);
    assert.ok(truth !== 'unusable' && truth !== 'good', `sent again after completed work, ${told}`);
    if (truth === 'failed') assert.notEqual(payment, 'strict', told);
    if (truth === 'lost') assert.equal(payment, 'available', told);
    const mayFollow = payment === 'available' || (payment === 'standard' && jobFailed) || jobDoubted;
    if (truth === 'accepted') assert.ok(mayFollow, told);
  }
}

function checkSends(scenario: Scenario, sends: readonly SimulatedSend[]): void {
  for (const [index, send] of sends.entries()) {
    assert.equal(send.open, 0, 'two requests open at once');
    const state = foldRun(send.durable);
    assert.equal(openAttempt(state)?.target, send.target, 'sent without a durable attempt-started');
    if (send.kind === 'poll') continue;
    assert.ok(send.at < scenario.plan.deadlineAt, `sent at ${send.at}, after the deadline`);
    for (const earlier of sends.slice(0, index)) checkHint(earlier, send);
  }
}

/** A whole 429 or 503 that said when to come back is obeyed by everything that is sent to its target afterwards. */
function checkHint(earlier: SimulatedSend, send: SimulatedSend): void {
  const { behaviour } = earlier.play;
  const answeredAt = earlier.answeredAt();
  if (earlier.kind === 'poll' || earlier.target !== send.target || answeredAt === undefined) return;
  if (behaviour.kind !== 'answer' || ![429, 503].includes(behaviour.status)) return;
  // A process that died before it had written the answer down took the hint with it.
  const known = foldRun(send.durable).attempts[foldRun(earlier.durable).attempts.length - 1]?.outcome;
  if (known?.ok === false && known.failure.kind === 'interrupted') return;
  const seconds = Number(behaviour.headers?.['retry-after'] ?? 0);
  assert.ok(send.at >= answeredAt + seconds * 1_000, 'sent before the hint');
}

function checkJournal(events: readonly Event[], outcome: Outcome): void {
  assert.equal(events.filter((event) => event.type === 'finished').length, 1, 'finished once');
  assert.deepEqual(events.at(-1)?.type === 'finished' && events.at(-1), { ...events.at(-1), outcome });
  const started = events.filter((event) => event.type === 'attempt-started');
  assert.deepEqual(
    started.map((event) => event.attempt),
    started.map((_, index) => index + 1),
  );
  const successes = events.filter((event) => event.type === 'attempt-ended').filter(({ outcome: { ok } }) => ok);
  for (const event of successes.slice(0, -1)) {
    const { outcome: before } = event;
    assert.ok(before.ok && before.images.every(({ suspect }) => suspect), 'made again after a good picture');
  }
  for (const [index, event] of events.entries()) {
    if (event.type !== 'attempt-started') continue;
    assert.equal(openAttempt(foldRun(events.slice(0, index))), undefined, 'two attempts open at once');
  }
}

/** In a process that lives on, a picture that was made and came through is handed out. */
function checkHarvest({ plan }: Scenario, outcome: Outcome, sends: readonly SimulatedSend[]): void {
  const mayFail = outcome.ok || plan.policy.suspect === 'fail';
  assert.ok(mayFail || !sends.some((send) => truthOf(send) === 'doubted'), 'a doubted picture was not handed out');
  assert.ok(outcome.ok || !sends.some((send) => truthOf(send) === 'good'), 'a good picture was not handed out');
}

/** What the caller is told never understates what the providers may bill. */
function checkAnswer(scenario: Scenario, outcome: Outcome, sends: readonly SimulatedSend[]): void {
  const truths = billable(scenario, sends).map(truthOf);
  const paid = truths.some((truth) => truth !== 'free');
  const allFree = scenario.plan.targets.every(({ free }) => free);
  if (!outcome.ok && allFree) assert.equal(billed(outcome.failure), 'no', outcome.failure.message);
  if (outcome.ok || !paid) return;
  assert.notEqual(
    billed(outcome.failure),
    'no',
    `told "not billed" after a possible charge: ${outcome.failure.message}`,
  );
  assert.equal(callerMayRepeat(outcome.failure), false);
}

/** What costs nothing ends too, uses up no payment, and no clock keeps it open for a late answer. */
function checkFree(scenario: Scenario, events: readonly Event[], sends: readonly SimulatedSend[]): void {
  const { plan } = scenario;
  for (const { id, free } of plan.targets) {
    if (!free) continue;
    const tries = submits(sends).filter(({ target }) => target === id).length;
    const rungs = foldRun(events).rungs ?? [];
    assert.ok(tries <= plan.policy.retry.maxFreeAttempts + rungs.length, `${tries} tries at ${id}`);
  }
  const { attempts } = foldRun(events);
  for (const { target, free, overdue, outcome } of attempts) {
    assert.equal(
      free === true,
      plan.targets.some((one) => one.id === target && one.free),
    );
    if (free && overdue) assert.fail('waited for a late answer of what costs nothing');
    if (free && outcome?.ok === false) assert.equal(billed(outcome.failure), 'no', outcome.failure.message);
  }
  const paid = attempts.filter(
    ({ free, outcome }) => !free && !(outcome?.ok === false && billed(outcome.failure) === 'no'),
  );
  assert.equal(paidAttempts(foldRun(events)), paid.length);
}

/** Words of a chat model are sent from their durable rung on, and what it could not say sends nothing. */
function checkWords(
  { plan }: Scenario,
  events: readonly Event[],
  { sends, asks }: Pick<World, 'sends' | 'asks'>,
): void {
  for (const { kind, prompt, durable } of sends) {
    if (kind !== 'submit') continue;
    const taken = foldRun(durable).rungs?.find((rung) => rung.prompt !== undefined);
    assert.equal(prompt, taken?.prompt ?? plan.request.prompt);
  }
  const { rungs = [], attempts } = foldRun(events);
  assert.ok(rungs.filter(({ by }) => by !== undefined).length <= 1, 'words were had twice');
  assert.ok(rungs.length <= (plan.policy.refusals?.maxRungs ?? 0));
  const last = rungs.at(-1);
  const refused = attempts.find(({ attempt }) => attempt === last?.attempt);
  if (last?.failed !== undefined && !plan.targets.some(({ free }) => free))
    assert.equal(refused, attempts.at(-1), 'sent again without other words');
  assert.ok(asks.length <= 1, 'asked for words twice in one process');
  for (const durable of asks) assert.equal(foldRun(durable).rungs?.some(({ by }) => by !== undefined) ?? false, false);
}

/** What was spent, or may be, was held before; and nothing that bills is sent without. */
function checkMoney(scenario: Scenario, { durable, sends, money }: World, outcome: Outcome): void {
  const { plan, budget } = scenario;
  if (budget === undefined) return;
  const lines = ledgerOf(plan, foldGeneration([durable]));
  const booked = lines.reduce((sum, line) => sum + (line.spentMicroUsd ?? NEVER) + (line.possibleMicroUsd ?? NEVER), 0);
  assert.ok(booked <= budget.microUsd, `${booked} booked of ${budget.microUsd}`);
  for (const send of billable(scenario, sends)) {
    const before = foldRun(send.durable).attempts.length - 1;
    const held = money.findLast((one) => foldRun(one.durable).attempts.length === before);
    assert.ok(held?.isHeld && held.spend.target === send.target, 'sent without money held for it');
  }
  const isRefused = !outcome.ok && outcome.failure.kind === 'budget';
  if (isRefused) assert.deepEqual(foldRun(durable).attempts, [], 'a budget speaks before what was tried');
  if (isRefused) assert.ok(durable.some((event) => event.type === 'target-skipped' && event.kind === 'budget'));
}

const NEVER = Number.POSITIVE_INFINITY;

function checkAll(
  scenario: Scenario,
  events: readonly Event[],
  sends: readonly SimulatedSend[],
  outcome: Outcome,
): void {
  checkPayments(scenario, sends);
  checkSends(scenario, sends);
  checkJournal(events, outcome);
  checkAnswer(scenario, outcome, sends);
  checkFree(scenario, events, sends);
}

/** Dies after every event in turn, and resumes in a process that knows nothing but the journal. */
async function checkResumptions(
  scenario: Scenario,
  events: readonly Event[],
  sends: readonly SimulatedSend[],
): Promise<void> {
  for (let length = 0; length <= events.length; length += 1) {
    const past = events.slice(0, length);
    const before = sends.filter((send) => send.durable.length <= length);
    const world = createWorld(scenario, past, (past.at(-1)?.at ?? 0) + RESTART_MS);
    const outcome = await play(scenario, world);
    checkAll(scenario, world.durable, [...before, ...world.sends], outcome);
    checkWords(scenario, world.durable, world);
    checkMoney(scenario, world, outcome);
    checkHarvest(scenario, outcome, world.sends);
    const left = openAttempt(foldRun(past));
    if (left && left.handle === undefined && !left.free)
      assert.deepEqual(submits(world.sends), [], 'sent again after maybe submitted');
    if (past.at(-1)?.type === 'finished') assert.deepEqual(world.sends, [], 'sent after it was finished');
  }
}

async function simulate(scenario: Scenario): Promise<void> {
  const world = createWorld(scenario);
  const outcome = await play(scenario, world);
  checkAll(scenario, world.durable, world.sends, outcome);
  checkWords(scenario, world.durable, world);
  checkMoney(scenario, world, outcome);
  checkHarvest(scenario, outcome, world.sends);
  await checkResumptions(scenario, world.durable, world.sends);
}

for (const [name, seed, numRuns] of [
  ['a fixed seed', FIXED_SEED, FIXED_RUNS],
  ['a seed of its own', undefined, RANDOM_RUNS],
] as const) {
  test(`${numRuns} random runs with ${name}, each also resumed after every event, keep every promise`, async () => {
    await fc.assert(fc.asyncProperty(scenarios, simulate), { numRuns, ...(seed !== undefined && { seed }) });
  });
}
