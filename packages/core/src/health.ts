import { FAILURES, type Failure } from './failure.ts';
import type { Outcome } from './journal.ts';
import type { PlannedTarget } from './plan.ts';
import * as breaker from './policy/breaker.ts';

/** Why a target takes no call before `until` (epoch ms). */
export interface Gate {
  readonly by: 'breaker' | 'credential' | 'hint';
  readonly until: number;
  readonly failure: Failure;
}

/** What `decide` may know of the targets at one instant: the closed gates by target id. */
export type Health = Readonly<Record<string, Gate | undefined>>;

export interface TargetReport {
  readonly target: string;
  readonly credential: string;
  readonly state: breaker.BreakerState['phase'];
  readonly credentialState: breaker.BreakerState['phase'];
  readonly until?: number;
  readonly reason?: string;
  readonly inFlight: number;
  readonly lastSuccessAt?: number;
  readonly lastFailureAt?: number;
}

export interface HealthPermit {
  readonly target: breaker.Permit;
  readonly credential: breaker.Permit;
}

/** Breakers and hints of every target this process has used. One per client or gateway; runs share it. */
export interface HealthBook {
  view(targets: readonly PlannedTarget[], now: number): Health;
  /** Takes the permits for one attempt; `view` must have shown the target open at the same instant. */
  acquire(target: PlannedTarget, now: number): HealthPermit;
  settle(target: PlannedTarget, permit: HealthPermit, outcome: Outcome, now: number): void;
  report(now: number): readonly TargetReport[];
}

export interface HealthPolicy {
  readonly breaker: breaker.BreakerPolicy;
  readonly credential: breaker.BreakerPolicy;
  /** Targets remembered at most; the one unused for longest is forgotten. */
  readonly maxTargets: number;
}

export const HEALTH_POLICY: HealthPolicy = {
  breaker: breaker.BREAKER_POLICY,
  credential: breaker.CREDENTIAL_POLICY,
  maxTargets: 1_000,
};

interface TargetEntry {
  readonly credential: string;
  breaker: breaker.BreakerState;
  hint: Failure | undefined;
  inFlight: number;
  lastSuccessAt?: number;
  lastFailureAt?: number;
}

export function createHealthBook(policy: HealthPolicy = HEALTH_POLICY): HealthBook {
  const targets = new Map<string, TargetEntry>();
  const credentials = new Map<string, breaker.BreakerState>();

  function entryOf(target: PlannedTarget): TargetEntry {
    const found = targets.get(target.id) ?? {
      credential: target.credential,
      breaker: breaker.CLOSED,
      hint: undefined,
      inFlight: 0,
    };
    remember(targets, target.id, found, policy.maxTargets);
    return found;
  }

  function gateOf(target: Pick<PlannedTarget, 'id' | 'credential'>, now: number): Gate | undefined {
    const entry = targets.get(target.id);
    const credential = credentials.get(target.credential);
    const keyUntil = credential && breaker.closedUntil(credential, now);
    if (credential?.cause && keyUntil !== undefined)
      return { by: 'credential', until: keyUntil, failure: credential.cause };
    const until = entry && breaker.closedUntil(entry.breaker, now);
    if (entry?.breaker.cause && until !== undefined) return { by: 'breaker', until, failure: entry.breaker.cause };
    if (entry?.hint?.notBefore !== undefined && entry.hint.notBefore > now) {
      return { by: 'hint', until: entry.hint.notBefore, failure: entry.hint };
    }
    return undefined;
  }

  return {
    view: (wanted, now) => Object.fromEntries(wanted.map((target) => [target.id, gateOf(target, now)])),

    acquire(target, now) {
      const entry = entryOf(target);
      const onTarget = breaker.permit(entry.breaker, now, policy.breaker);
      const onCredential = breaker.permit(credentials.get(target.credential) ?? breaker.CLOSED, now, policy.credential);
      entry.breaker = onTarget.state;
      entry.inFlight += 1;
      remember(credentials, target.credential, onCredential.state, policy.maxTargets);
      return { target: onTarget.permit, credential: onCredential.permit };
    },

    settle(target, permit, outcome, now) {
      const entry = entryOf(target);
      entry.inFlight = Math.max(0, entry.inFlight - 1);
      if (outcome.ok) entry.lastSuccessAt = now;
      else entry.lastFailureAt = now;
      entry.breaker = breaker.settle(entry.breaker, permit.target, verdictOf(outcome, 'target'), now, policy.breaker);
      const credential = credentials.get(target.credential) ?? breaker.CLOSED;
      const settled = breaker.settle(
        credential,
        permit.credential,
        verdictOf(outcome, 'credential'),
        now,
        policy.credential,
      );
      remember(credentials, target.credential, settled, policy.maxTargets);
      if (!outcome.ok && outcome.failure.notBefore !== undefined && outcome.failure.certainty === 'rejected') {
        entry.hint = laterHint(entry.hint, outcome.failure);
      }
    },

    report: (now) =>
      [...targets].map(([id, entry]) => {
        const credential = credentials.get(entry.credential)?.phase ?? 'closed';
        return reportOf(id, entry, credential, gateOf({ id, credential: entry.credential }, now));
      }),
  };
}

function reportOf(
  id: string,
  entry: TargetEntry,
  credential: breaker.BreakerState['phase'],
  gate: Gate | undefined,
): TargetReport {
  return {
    target: id,
    credential: entry.credential,
    state: entry.breaker.phase,
    credentialState: credential,
    inFlight: entry.inFlight,
    ...(gate && { until: gate.until, reason: gate.failure.message }),
    ...(entry.lastSuccessAt !== undefined && { lastSuccessAt: entry.lastSuccessAt }),
    ...(entry.lastFailureAt !== undefined && { lastFailureAt: entry.lastFailureAt }),
  };
}

/** What an outcome says to one kind of breaker: failures meant for the other kind are no evidence either way. */
function verdictOf(outcome: Outcome, kind: 'target' | 'credential'): breaker.Verdict {
  if (outcome.ok) return { result: 'success' };
  // A deadline is the caller's: short ones of a few must not close the target for all.
  if (outcome.failure.clock?.name === 'total') return { result: 'ignored' };
  // What waited here too long was never tried there.
  if (outcome.failure.clock?.name === 'queue') return { result: 'ignored' };
  return FAILURES[outcome.failure.kind].breaker === kind
    ? { result: 'failure', failure: outcome.failure }
    : { result: 'ignored' };
}

function laterHint(known: Failure | undefined, told: Failure): Failure {
  return (known?.notBefore ?? 0) > (told.notBefore ?? 0) && known ? known : told;
}

/** Keeps a map in order of use and within its bound. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value, bound: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= bound) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
