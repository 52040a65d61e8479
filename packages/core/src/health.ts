import { FAILURES, type Failure } from './failure.ts';
import type { Outcome } from './journal.ts';
import type { PlannedTarget } from './plan.ts';
import * as breaker from './policy/breaker.ts';

/** Why a target takes no call before `until` (epoch ms). */
export interface Gate {
  readonly by: 'breaker' | 'credential' | 'hint' | 'limit';
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
  /** The credential it was given for. */
  readonly name: string;
  readonly target: breaker.Permit;
  readonly credential: breaker.Permit;
}

/** What health knows of a target: its name and its keys. */
export type Pooled = Pick<PlannedTarget, 'id' | 'credential' | 'credentials'>;

/** The keys an attempt at this target may go with. */
export function credentialsOf({ credential, credentials }: Pooled): readonly string[] {
  return credentials ?? [credential];
}

/** Breakers and hints of every target this process has used. One per client or gateway; runs share it. */
export interface HealthBook {
  view(targets: readonly PlannedTarget[], now: number): Health;
  /** The keys of a target that may be used now: of a pool, those that are not cooling. */
  openCredentials(target: Pooled, now: number): readonly string[];
  /** Takes the permits for one attempt with one of the target's keys, which must be open at the same instant. */
  acquire(target: Pooled, credential: string, now: number): HealthPermit;
  settle(target: Pooled, permit: HealthPermit, outcome: Outcome, now: number): void;
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
  readonly target: string;
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

  function entryOf(target: string, credential: string): TargetEntry {
    const key = keyOf(target, credential);
    const found = targets.get(key) ?? { target, credential, breaker: breaker.CLOSED, hint: undefined, inFlight: 0 };
    remember(targets, key, found, policy.maxTargets);
    return found;
  }

  function gateOf(target: string, name: string, now: number): Gate | undefined {
    const entry = targets.get(keyOf(target, name));
    const credential = credentials.get(name);
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

  /** A pool is closed while all of its keys are, and until the first of them opens. */
  function poolGate(target: Pooled, now: number): Gate | undefined {
    const gates = credentialsOf(target).map((name) => gateOf(target.id, name, now));
    if (gates.includes(undefined)) return undefined;
    return gates.filter((gate) => gate !== undefined).toSorted((a, b) => a.until - b.until)[0];
  }

  return {
    view: (wanted, now) => Object.fromEntries(wanted.map((target) => [target.id, poolGate(target, now)])),

    openCredentials: (target, now) =>
      credentialsOf(target).filter((name) => gateOf(target.id, name, now) === undefined),

    acquire({ id }, name, now) {
      const entry = entryOf(id, name);
      const onTarget = breaker.permit(entry.breaker, now, policy.breaker);
      const onCredential = breaker.permit(credentials.get(name) ?? breaker.CLOSED, now, policy.credential);
      entry.breaker = onTarget.state;
      entry.inFlight += 1;
      remember(credentials, name, onCredential.state, policy.maxTargets);
      return { name, target: onTarget.permit, credential: onCredential.permit };
    },

    settle({ id }, permit, outcome, now) {
      const entry = entryOf(id, permit.name);
      entry.inFlight = Math.max(0, entry.inFlight - 1);
      if (outcome.ok) entry.lastSuccessAt = now;
      else entry.lastFailureAt = now;
      entry.breaker = breaker.settle(entry.breaker, permit.target, verdictOf(outcome, 'target'), now, policy.breaker);
      const known = credentials.get(permit.name) ?? breaker.CLOSED;
      const verdict = verdictOf(outcome, 'credential');
      const settled = breaker.settle(known, permit.credential, verdict, now, policy.credential);
      remember(credentials, permit.name, settled, policy.maxTargets);
      if (!outcome.ok && outcome.failure.notBefore !== undefined && outcome.failure.certainty === 'rejected') {
        entry.hint = laterHint(entry.hint, outcome.failure);
      }
    },

    report: (now) =>
      [...targets.values()].map((entry) => {
        const credential = credentials.get(entry.credential)?.phase ?? 'closed';
        return reportOf(entry, credential, gateOf(entry.target, entry.credential, now));
      }),
  };
}

function keyOf(target: string, credential: string): string {
  return `${target} ${credential}`;
}

function reportOf(entry: TargetEntry, credential: breaker.BreakerState['phase'], gate: Gate | undefined): TargetReport {
  return {
    target: entry.target,
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
