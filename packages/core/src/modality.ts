import type { RunEnvironment } from './environment.ts';
import type { Failure } from './failure.ts';
import type { Attempt, Event, Outcome, Run } from './journal.ts';
import type { Claim, Turn } from './pacing.ts';
import type { PlannedTarget, RunPlan } from './plan.ts';
import type { TakenRung } from './policy/taken-rung.ts';
import type { Handle, Stage } from './providers/provider.ts';

/** Everything one attempt works with, whatever is made. `append` makes events durable while the attempt is still open. */
export interface RunWork {
  readonly runId: string;
  readonly plan: RunPlan;
  readonly run: Run;
  readonly target: PlannedTarget;
  readonly attempt: number;
  /** Which key it goes with. */
  readonly credential: string;
  /** Absent when an earlier process took it. */
  readonly turn?: Turn;
  readonly environment: RunEnvironment;
  readonly append: (event: Event) => Promise<void>;
}

/** What a run makes, pictures or an answer of chat, of one plan: the loop and its policies are the same for both. */
export interface Modality {
  /** What one attempt takes of the limits. */
  readonly claim: Claim;
  /** What its caller said, as this target is sent it: for nobody else to read. */
  words(target: PlannedTarget): readonly string[];
  /** The target with what it is sent after all that happened so far. */
  inForce(run: Run, target: PlannedTarget): PlannedTarget;
  /** The rung of a ladder with all that it needs, as it is journaled; undefined when the run was canceled or parked meanwhile. */
  climb?(run: Run, rung: TakenRung): Promise<TakenRung | undefined>;
  /** Sends one attempt and says how it ended: an `attempt-ended`, or a `handle-received` where the provider works on. */
  submit(work: RunWork): Promise<Event>;
  /** Looks once at an accepted job. */
  poll(work: RunWork, attempt: Attempt): Promise<Event | StillWaiting>;
  /** Asks the provider to give an accepted job up. */
  cancel(work: RunWork, attempt: Attempt): Promise<Event>;
  /** The outcome that closes the run. */
  finished(outcome: Outcome): Outcome;
}

/** A look at a job that is not done: when to look again, and what was told of it. */
export interface StillWaiting {
  readonly type: 'still-waiting';
  readonly pollAt: number;
  /** What the next look needs, where that changed. */
  readonly handle?: Handle;
  readonly progress?: number;
  readonly stage?: Stage;
  readonly failure?: Failure;
}
