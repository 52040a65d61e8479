import type { RunEnvironment } from './environment.ts';
import type { Failure } from './failure.ts';
import type { Gate } from './gates.ts';
import type { Health } from './health.ts';
import type { Modality } from './modality.ts';
import type { Delay } from './pacing.ts';
import type { PlannedTarget, RunPlan } from './plan.ts';
import type { Recorder } from './recorder.ts';
import { spendOf } from './spend.ts';

/** What keeps this run, and no other, from its targets. */
export interface OwnGates {
  /** Targets that have no repeats to give to this run. */
  readonly spent: Set<string>;
  /** Targets whose next attempt the caller may not spend, and why; for this run they stay closed. */
  readonly unaffordable: Map<string, Failure>;
  /** The attempt that money is held for. */
  afforded?: string;
}

interface GatedRun {
  readonly runId: string;
  readonly plan: RunPlan;
  readonly recorder: Recorder;
  readonly environment: RunEnvironment;
  readonly modality: Modality;
  readonly own: OwnGates;
}

/**
 * What health has against the targets; where it has nothing, the queues there are to wait in. `turn`: the run has just
 * been given a turn at this target, so that target's limits are no reason to wait.
 */
export function healthFor(run: GatedRun, now: number, turn: PlannedTarget | undefined): Health {
  const { plan, environment, modality, own } = run;
  const health = environment.health.view(plan.targets, now);
  const { claim } = modality;
  const gates = plan.targets.flatMap((target): [string, Gate][] => {
    const unpaid = own.unaffordable.get(target.id);
    if (unpaid)
      return [[target.id, { by: 'budget', until: Math.max(now + 1, unpaid.notBefore ?? 0), failure: unpaid }]];
    if (own.spent.has(target.id)) return [[target.id, { by: 'repeats', until: now + 1, failure: SPENT }]];
    if (health[target.id] !== undefined || target.id === turn?.id) return [];
    const delay = environment.turns.expect(target, claim);
    return delay ? [[target.id, { by: 'limit', until: delay.until, failure: waitsForTurn(target, delay) }]] : [];
  });
  return gates.length === 0 ? health : { ...health, ...Object.fromEntries(gates) };
}

function waitsForTurn(target: PlannedTarget, { reason }: Delay): Failure {
  return { kind: 'throttled', certainty: 'not_sent', message: `waits for its turn at ${target.id}: ${reason}` };
}

export const NO_REPEATS = 'no more repeats may go there now: too many of its calls failed, or are repeats';
const SPENT: Failure = { kind: 'unavailable', certainty: 'not_sent', message: NO_REPEATS };

/** Whether this run has said why it does not go there. */
export function isTold({ spent, unaffordable }: OwnGates, target: string): boolean {
  return spent.has(target) || unaffordable.has(target);
}

/** Reserves what the next attempt may cost, once for each; refused, its target is closed to this run. */
export async function isAfforded(target: PlannedTarget, run: GatedRun): Promise<boolean> {
  const { runId, plan, recorder, environment, modality, own } = run;
  if (environment.afford === undefined || target.free) return true;
  const state = recorder.run();
  // A run that waits long looks again and again whether it is still to go there.
  const next = `${state.attempts.length} ${target.id}`;
  if (own.afforded === next) return true;
  delete own.afforded;
  const failure = await environment.afford(spendOf(runId, plan, state, modality.inForce(state, target)));
  if (failure === undefined) {
    own.afforded = next;
    return true;
  }
  own.unaffordable.set(target.id, failure);
  const { kind, message: reason } = failure;
  recorder.record({ type: 'target-skipped', at: environment.io.now(), target: target.id, reason, kind });
  return false;
}
