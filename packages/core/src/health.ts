import { FAILURES } from './failure.ts';
import { type ClosedGate, createGates, type Gate, laterHint, type TargetEntry } from './gates.ts';
import type { Outcome } from './journal.ts';
import type { PlannedTarget } from './plan.ts';
import * as breaker from './policy/breaker.ts';

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
  /** Another process found a gate closed: it is closed here too, until then. */
  adopt(closed: ClosedGate): void;
  /** Calls back when what was settled here closed a gate, or closed it for longer; returns the unsubscribe function. */
  onClosed(callback: (closed: ClosedGate) => void): () => void;
  /** By an operator's hand: opens the breakers of a target and of its keys, and forgets its hints. */
  reset(target: Pooled): void;
  /** By an operator's hand: nothing new goes to this target, or again. What is in flight goes on. */
  drain(target: string, isDrained: boolean): void;
  drained(): readonly string[];
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

export function createHealthBook(policy: HealthPolicy = HEALTH_POLICY): HealthBook {
  const gates = createGates(policy.maxTargets);
  const { entryOf, gateOf } = gates;
  const listeners = new Set<(closed: ClosedGate) => void>();

  /** A pool is closed while all of its keys are, and until the first of them opens. */
  function poolGate(target: Pooled, now: number): Gate | undefined {
    const closed = credentialsOf(target).map((name) => gateOf(target.id, name, now));
    if (closed.includes(undefined)) return undefined;
    return closed.filter((gate) => gate !== undefined).toSorted((a, b) => a.until - b.until)[0];
  }

  return {
    view: (wanted, now) => Object.fromEntries(wanted.map((target) => [target.id, poolGate(target, now)])),

    openCredentials: (target, now) =>
      credentialsOf(target).filter((name) => gateOf(target.id, name, now) === undefined),

    acquire({ id }, name, now) {
      const entry = entryOf(id, name);
      const onTarget = breaker.permit(entry.breaker, now, policy.breaker);
      const onCredential = breaker.permit(gates.credential(name), now, policy.credential);
      entry.breaker = onTarget.state;
      entry.inFlight += 1;
      gates.setCredential(name, onCredential.state);
      return { name, target: onTarget.permit, credential: onCredential.permit };
    },

    settle({ id }, permit, outcome, now) {
      const entry = entryOf(id, permit.name);
      entry.inFlight = Math.max(0, entry.inFlight - 1);
      if (outcome.ok) entry.lastSuccessAt = now;
      else entry.lastFailureAt = now;
      entry.breaker = breaker.settle(entry.breaker, permit.target, verdictOf(outcome, 'target'), now, policy.breaker);
      const verdict = verdictOf(outcome, 'credential');
      const known = gates.credential(permit.name);
      gates.setCredential(permit.name, breaker.settle(known, permit.credential, verdict, now, policy.credential));
      if (!outcome.ok && outcome.failure.notBefore !== undefined && outcome.failure.certainty === 'rejected') {
        entry.hint = laterHint(entry.hint, outcome.failure);
      }
      const gate = outcome.ok ? undefined : gates.ownGate(id, permit.name, now);
      if (gate) for (const listener of [...listeners]) listener({ target: id, credential: permit.name, gate });
    },

    adopt: gates.adopt,

    onClosed(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },

    reset: (target) => gates.reset(target.id, credentialsOf(target)),

    drain: gates.drain,

    drained: gates.drained,

    report: (now) =>
      gates.entries().map((entry) => {
        const { phase } = gates.credential(entry.credential);
        return reportOf(entry, phase, gateOf(entry.target, entry.credential, now));
      }),
  };
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
