import { type AttemptWork, pollAttempt, submitAttempt } from './attempt.ts';
import type { RunEnvironment } from './environment.ts';
import { type Event, foldRun, type Journal, type Outcome, openAttempt, type Run } from './journal.ts';
import type { Plan } from './plan.ts';
import { answerFor } from './policy/budget.ts';
import { type Decision, decide } from './policy/decide.ts';

/** Left where it stands, for another process or a later call to go on with. */
export const PARKED = Symbol('parked');

/**
 * The loop: decide, append, perform, append, until the run is finished. Resuming after a crash is calling it again on
 * the same journal. What is about to be done is durable before it is done.
 */
export async function run(
  runId: string,
  plan: Plan,
  journal: Journal,
  environment: RunEnvironment,
): Promise<Outcome | typeof PARKED> {
  const recorder = createRecorder(journal);
  const { maxDecisions } = environment.limits;
  for (let step = 0; step < maxDecisions; step += 1) {
    const decision = nextDecision(runId, plan, recorder.run(), environment);
    if (decision.do === 'stop') {
      await recorder.flush();
      return decision.outcome;
    }
    if (environment.park.aborted && decision.do !== 'finish') {
      await recorder.flush();
      return PARKED;
    }
    await take(decision, { runId, plan, recorder, environment });
  }
  throw new Error(`run ${runId}: no end after ${maxDecisions} decisions`);
}

interface Step {
  readonly runId: string;
  readonly plan: Plan;
  readonly recorder: Recorder;
  readonly environment: RunEnvironment;
}

function nextDecision(runId: string, plan: Plan, state: Run, environment: RunEnvironment): Decision {
  const now = environment.io.now();
  const health = environment.health.view(plan.targets, now);
  const decision = decide(runId, plan, state, health, environment.presence(), now);
  if (!environment.cancel.aborted || decision.do === 'finish' || decision.do === 'stop') return decision;
  const open = openAttempt(state);
  if (open?.handle) return { do: 'give-up-attempt', attempt: open.attempt, outcome: CANCELED_AT_WORK };
  if (open) return decision;
  return { do: 'finish', outcome: answerFor(state, state.attempts.at(-1)?.outcome ?? CANCELED) };
}

const CANCELED: Outcome = {
  ok: false,
  failure: { kind: 'canceled', certainty: 'not_sent', message: 'canceled before anything was sent' },
};
const CANCELED_AT_WORK: Outcome = {
  ok: false,
  failure: {
    kind: 'canceled',
    certainty: 'ambiguous',
    message: 'canceled while the provider was working; it may bill the work',
  },
};

async function take(decision: Exclude<Decision, { do: 'stop' }>, step: Step): Promise<void> {
  const { recorder, environment } = step;
  const at = environment.io.now();
  switch (decision.do) {
    case 'finish':
      return recorder.record({ type: 'finished', at, outcome: decision.outcome });
    case 'give-up-attempt':
      return recorder.record({ type: 'attempt-ended', at, attempt: decision.attempt, outcome: decision.outcome });
    case 'release-caller': {
      const { attempt, failure } = decision;
      return recorder.append({ type: 'clock-fired', at, attempt, clock: failure.clock?.name ?? 'total', failure });
    }
    case 'wait': {
      const { target, until, reason } = decision;
      if (!openAttempt(recorder.run())) recorder.record({ type: 'waiting', at, target, until, reason });
      // Listening from here on: whoever comes or goes while this is being written wakes it too.
      const waited = waitUntil(until, environment);
      await recorder.flush();
      return waited;
    }
    case 'start':
      return start(decision, at, step);
    case 'poll':
      await recorder.flush();
      return recorder.record(
        await pollAttempt(workOf(step, decision.target, decision.attempt.attempt), decision.attempt),
      );
  }
}

async function start(decision: Extract<Decision, { do: 'start' }>, at: number, step: Step): Promise<void> {
  const { target, attempt, skipped } = decision;
  const { recorder, environment } = step;
  const permit = environment.health.acquire(target, at);
  let outcome: Outcome = NOT_SENT;
  try {
    recorder.record(...skipped.map((one): Event => ({ type: 'target-skipped', at, ...one })));
    await recorder.append({ type: 'attempt-started', at, attempt, target: target.id });
    const end = await submitAttempt(workOf(step, target, attempt));
    outcome = end.type === 'attempt-ended' ? end.outcome : ACCEPTED;
    // Before the answer can be sent, so that a caller's own repeats meet a closed gate.
    recorder.record(end);
  } finally {
    environment.health.settle(target, permit, outcome, environment.io.now());
  }
}

function workOf(
  { runId, plan, recorder, environment }: Step,
  target: AttemptWork['target'],
  attempt: number,
): AttemptWork {
  return { runId, plan, run: recorder.run(), target, attempt, environment, append: recorder.append };
}

const NOT_SENT: Outcome = { ok: false, failure: { kind: 'canceled', certainty: 'not_sent', message: 'never sent' } };
/** To the breakers a job that was taken on is a success; how it ends is the job's own story. */
const ACCEPTED: Outcome = { ok: true, images: [] };

interface Recorder {
  run(): Run;
  /** Counts at once, and becomes durable with the next flush. */
  record(...events: readonly Event[]): void;
  flush(): Promise<void>;
  append(event: Event): Promise<void>;
}

/** Appends in order, one write at a time, because the fence counts events; what gathers meanwhile goes as one. */
function createRecorder(journal: Journal): Recorder {
  let state = foldRun(journal.events);
  let pending: Event[] = [];
  let written: Promise<void> = Promise.resolve();
  const record = (...events: readonly Event[]): void => {
    state = foldRun(events, state);
    pending.push(...events);
  };
  const flush = (): Promise<void> => {
    written = written.then(() => {
      const events = pending;
      pending = [];
      return events.length > 0 ? journal.append(events) : undefined;
    });
    return written;
  };
  const append = (event: Event): Promise<void> => {
    record(event);
    return flush();
  };
  return { run: () => state, record, flush, append };
}

/** Ends at `until`, or sooner when the caller comes or goes, on cancel, and on park. */
function waitUntil(until: number, environment: RunEnvironment): Promise<void> {
  const { cancel, park } = environment;
  if (cancel.aborted || park.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      stopTimer();
      stopPresence();
      cancel.removeEventListener('abort', end);
      park.removeEventListener('abort', end);
      resolve();
    };
    const stopTimer = environment.io.timer(until, end);
    const stopPresence = environment.onPresence(end);
    cancel.addEventListener('abort', end, { once: true });
    park.addEventListener('abort', end, { once: true });
  });
}
