import { type RunEnvironment, withHostsOf } from './environment.ts';
import type { Failure } from './failure.ts';
import { type Attempt, type Event, type Journal, type Outcome, openAttempt, type Run } from './journal.ts';
import type { Modality, RunWork } from './modality.ts';
import type { Turn } from './pacing.ts';
import type { PlannedTarget, RunPlan } from './plan.ts';
import { answerFor } from './policy/budget.ts';
import { type Decision, decide, withReturnTime } from './policy/decide.ts';
import type { TakenRung } from './policy/taken-rung.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { healthFor, isAfforded, isTold, NO_REPEATS, type OwnGates } from './run-gates.ts';
import { onChange, waitUntil } from './run-waits.ts';
import { outcomeForOthers } from './without-words.ts';

/** Left where it stands, for another process or a later call to go on with. */
export const PARKED = Symbol('parked');

/**
 * The loop: decide, append, perform, append, until the run is finished. Resuming after a crash is calling it again on
 * the same journal. What is about to be done is durable before it is done.
 */
export async function loop(
  runId: string,
  plan: RunPlan,
  journal: Journal,
  environment: RunEnvironment,
  modality: Modality,
): Promise<Outcome | typeof PARKED> {
  const recorder = createRecorder(journal);
  const hand = handOf(recorder.run(), plan, environment);
  const step: Step = {
    runId,
    plan,
    recorder,
    environment,
    modality,
    hand,
    own: { spent: new Set(), unaffordable: new Map() },
  };
  const { maxDecisions } = environment.limits;
  try {
    for (let decided = 0; decided < maxDecisions; ) {
      const decision = nextDecision(step);
      if (decision.do === 'stop') {
        await recorder.flush();
        return decision.outcome;
      }
      if (environment.park.aborted && decision.do !== 'finish') {
        await recorder.flush();
        return PARKED;
      }
      // Looks at an accepted job go on until its deadline, however many they are.
      if (openAttempt(recorder.run())?.handle === undefined) decided += 1;
      await take(decision, step);
    }
    throw new Error(`run ${runId}: no end after ${maxDecisions} decisions`);
  } finally {
    step.hand.turn?.settle(ACCEPTED);
  }
}

interface Step {
  readonly runId: string;
  readonly plan: RunPlan;
  readonly recorder: Recorder;
  readonly environment: RunEnvironment;
  readonly modality: Modality;
  /** The turn of the open attempt: an accepted job keeps its place under the limits until it ends. */
  readonly hand: { turn?: Turn };
  readonly own: OwnGates;
}

/** A job that was accepted before this process began has its place under the limits again. */
function handOf(state: Run, plan: RunPlan, { turns }: RunEnvironment): Step['hand'] {
  const open = openAttempt(state);
  const target = plan.targets.find((one) => one.id === open?.target);
  if (open?.handle === undefined || target === undefined) return {};
  return { turn: turns.adopt(target, open.credential ?? target.credential) };
}

/** `turn`: it has just been given a turn at this target, so that target's limits are no reason to wait. */
function nextDecision(step: Step, turn?: PlannedTarget): Decision {
  const { runId, plan, recorder, environment } = step;
  const state = recorder.run();
  const now = environment.io.now();
  const health = healthFor(step, now, turn);
  const decision = decide(runId, plan, state, health, environment.presence(), now);
  if (!environment.cancel.aborted || decision.do === 'finish' || decision.do === 'stop') return decision;
  const open = openAttempt(state);
  const target = plan.targets.find((one) => one.id === open?.target);
  if (open?.handle && target) return { do: 'cancel', target, attempt: open };
  if (open) return decision;
  return { do: 'finish', outcome: answerFor(state, state.attempts.at(-1)?.outcome ?? CANCELED) };
}

const CANCELED: Outcome = {
  ok: false,
  failure: { kind: 'canceled', certainty: 'not_sent', message: 'canceled before anything was sent' },
};
async function take(decision: Exclude<Decision, { do: 'stop' }>, step: Step): Promise<void> {
  const { recorder, environment } = step;
  const at = environment.io.now();
  switch (decision.do) {
    case 'finish':
      return recorder.record({ type: 'finished', at, outcome: step.modality.finished(decision.outcome) });
    case 'give-up-attempt':
      return end({ type: 'attempt-ended', at, attempt: decision.attempt, outcome: decision.outcome }, step);
    case 'release-caller': {
      const { attempt, failure } = decision;
      return recorder.append({ type: 'clock-fired', at, attempt, clock: failure.clock?.name ?? 'total', failure });
    }
    case 'wait': {
      const { target, until, reason } = decision;
      if (!openAttempt(recorder.run())) recorder.record({ type: 'waiting', at, target, until, reason });
      const stopNews = environment.onNews?.(() => {
        const open = openAttempt(recorder.run());
        if (open) recorder.note(open.attempt, { pollAt: environment.io.now() });
      });
      // Listening from here on: whoever comes or goes while this is being written wakes it too.
      const waited = waitUntil(until, environment);
      await recorder.flush();
      await waited;
      return stopNews?.();
    }
    case 'climb':
      return climb(decision.rung, step);
    case 'start':
      return start(decision, step);
    case 'poll':
      await recorder.flush();
      return look(decision, step);
    case 'cancel': {
      await recorder.flush();
      // Asked of the provider although the run itself is canceled: that is what it is asked for.
      const asking = { ...step, environment: { ...environment, cancel: new AbortController().signal } };
      const ended = await step.modality.cancel(workOf(asking, decision.target, decision.attempt), decision.attempt);
      return end(decision.because ? endedBecause(decision.because, ended) : ended, step);
    }
  }
}

/** Words that were asked for are durable before they are sent. */
async function climb(planned: TakenRung, { recorder, environment, modality }: Step): Promise<void> {
  const rung = modality.climb ? await modality.climb(recorder.run(), planned) : planned;
  if (rung) recorder.record({ type: 'rung-taken', at: environment.io.now(), ...rung });
  if (rung?.by !== undefined) await recorder.flush();
}

/** The picture may have come at the last moment. */
function endedBecause(failure: Failure, ended: Event): Event {
  return ended.type !== 'attempt-ended' || ended.outcome.ok ? ended : { ...ended, outcome: { ok: false, failure } };
}

async function start(decision: Extract<Decision, { do: 'start' }>, step: Step): Promise<void> {
  const { target, attempt, skipped } = decision;
  const { recorder, environment, hand } = step;
  // Before a place in the queue is taken: it may be another's.
  if (!(await isAfforded(target, step))) return;
  const turn = await turnFor(target, step);
  if (turn === undefined) return;
  const now = environment.io.now();
  // Much may have happened in the queue.
  const still = nextDecision(step, target);
  if (environment.park.aborted || still.do !== 'start' || still.target.id !== target.id) return turn.giveBack();
  const last = recorder.run().attempts.at(-1);
  if (last?.outcome?.ok === false && environment.repeats?.allow(target.id, last.outcome.failure) === false) {
    turn.giveBack();
    return leaveUnrepeated(last, last.outcome, target.id, step);
  }
  hand.turn = turn;
  const permit = environment.health.acquire(target, turn.credential, now);
  const settleRepeat = environment.repeats?.began(target.id, last !== undefined);
  let outcome: Outcome = NOT_SENT;
  try {
    const untold = skipped.filter((one) => !isTold(step.own, one.target));
    recorder.record(...untold.map((one): Event => ({ type: 'target-skipped', at: now, ...one })));
    const credential = turn.credential === target.credential ? {} : { credential: turn.credential };
    const free = target.free && { free: target.free };
    await recorder.append({ type: 'attempt-started', at: now, attempt, target: target.id, ...credential, ...free });
    const ended = await step.modality.submit(workOf(step, target, { attempt, ...credential }));
    outcome = ended.type === 'attempt-ended' ? ended.outcome : ACCEPTED;
    // Before the answer can be sent, so that a caller's own repeats meet a closed gate.
    end(ended, step);
  } finally {
    const told = outcomeForOthers(outcome, wordsSentTo(target, step));
    environment.health.settle(target, permit, told, environment.io.now());
    settleRepeat?.(outcome);
  }
}

function wordsSentTo(target: PlannedTarget, { recorder, modality }: Step): readonly string[] {
  return modality.words(modality.inForce(recorder.run(), target));
}

/** What is left of its repeats does not allow it: another target is next, or with none the last failure is the answer. */
function leaveUnrepeated(last: Attempt, failed: Outcome, target: string, step: Step): void {
  const { runId, plan, recorder, environment, modality } = step;
  const at = environment.io.now();
  step.own.spent.add(target);
  const isLast = nextDecision(step).do === 'finish';
  const gate = environment.health.view(plan.targets, at)[last.target];
  const outcome = answerFor(recorder.run(), withReturnTime(failed, last, runId, plan, gate));
  recorder.record(
    { type: 'target-skipped', at, target, reason: NO_REPEATS, kind: 'unavailable' },
    ...(isLast ? [{ type: 'finished', at, outcome: modality.finished(outcome) } as const] : []),
  );
}

/** Waits in the target's queue; undefined when something happened meanwhile that wants a new decision. */
async function turnFor(planned: PlannedTarget, step: Step): Promise<Turn | undefined> {
  const { plan, recorder, environment, modality } = step;
  const { io, turns } = environment;
  // Only a pool's hosts can have changed since it was planned.
  const connection = planned.credentials && environment.connection(planned.provider);
  const target = withHostsOf(connection, planned);
  const avoid = connection?.hosts ? failedHosts(recorder.run(), target.id) : [];
  const { claim } = modality;
  const delay = turns.expect(target, claim);
  if (delay) recorder.record({ type: 'waiting', at: io.now(), target: target.id, ...delay });
  const changed = new AbortController();
  const stop = onChange(Math.min(plan.deadlineAt, io.now() + LOOK_AGAIN_MS), environment, () => changed.abort());
  try {
    return await turns.take(target, claim, changed.signal, avoid);
  } finally {
    stop();
  }
}

/** Where this run's attempts failed, the last one last: another host may do better. */
function failedHosts({ attempts }: Run, target: string): readonly string[] {
  const failed = attempts.filter((one) => one.target === target && one.outcome?.ok === false);
  return failed.flatMap(({ credential }) => (credential === undefined ? [] : [credential]));
}

/** A queue may turn out longer than expected, and another target better. */
const LOOK_AGAIN_MS = 30_000;

/** Only what is new of a job is journaled; how often it was looked at is not. */
async function look({ target, attempt }: Extract<Decision, { do: 'poll' }>, step: Step): Promise<void> {
  const { recorder, environment, modality } = step;
  const seen = await modality.poll(workOf(step, target, attempt), attempt);
  if (seen.type !== 'still-waiting') return end(seen, step);
  const { type: _, ...told } = seen;
  recorder.note(attempt.attempt, {
    pollAt: told.pollAt,
    missed: missedLooks(attempt, told.failure, environment.io.now()),
  });
  const news =
    told.handle !== undefined ||
    Math.floor(told.progress ?? 0) > (attempt.progress ?? 0) ||
    (told.stage !== undefined && told.stage !== attempt.stage) ||
    (told.failure !== undefined && told.failure.kind !== attempt.pollFailure);
  if (!news) return;
  return recorder.append({ type: 'polled', at: environment.io.now(), attempt: attempt.attempt, ...told });
}

/** A server that says when it may be asked again is alive. */
function missedLooks({ missed }: Attempt, failure: Failure | undefined, now: number): Attempt['missed'] {
  if (failure === undefined || failure.notBefore !== undefined) return undefined;
  return { since: missed?.since ?? now, looks: (missed?.looks ?? 0) + 1, failure };
}

/** Records how a submit or a job ended; with the attempt its place under the limits ends too. */
function end(event: Event, { recorder, hand }: Step): void {
  recorder.record(event);
  if (event.type !== 'attempt-ended') return;
  hand.turn?.settle(event.outcome);
  delete hand.turn;
}

function workOf(
  { runId, plan, recorder, environment, modality, hand }: Step,
  target: PlannedTarget,
  { attempt, credential = target.credential }: Pick<Attempt, 'attempt' | 'credential'>,
): RunWork {
  const turn = hand.turn && { turn: hand.turn };
  return {
    runId,
    plan,
    run: recorder.run(),
    target: modality.inForce(recorder.run(), target),
    attempt,
    credential,
    environment,
    append: recorder.append,
    ...turn,
  };
}

const NOT_SENT: Outcome = { ok: false, failure: { kind: 'canceled', certainty: 'not_sent', message: 'never sent' } };
/** To the breakers a job that was taken on is a success; how it ends is the job's own story. */
const ACCEPTED: Outcome = { ok: true, images: [] };
