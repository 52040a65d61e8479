import type { Failure } from './failure.ts';
import * as breaker from './policy/breaker.ts';

/** Why a target takes no call before `until` (epoch ms). */
export interface Gate {
  readonly by: 'breaker' | 'credential' | 'hint' | 'limit' | 'repeats' | 'budget' | 'drained';
  readonly until: number;
  readonly failure: Failure;
}

/** A gate with what it stands before: one target and credential, or by `credential` all targets behind it. */
export interface ClosedGate {
  readonly target: string;
  readonly credential: string;
  readonly gate: Gate;
}

/** What is known of one target with one credential. */
export interface TargetEntry {
  readonly target: string;
  readonly credential: string;
  breaker: breaker.BreakerState;
  hint: Failure | undefined;
  inFlight: number;
  lastSuccessAt?: number;
  lastFailureAt?: number;
}

/** The state behind the gates, within its bound: what is unused for longest is forgotten. */
export function createGates(maxTargets: number) {
  const targets = new Map<string, TargetEntry>();
  const credentials = new Map<string, breaker.BreakerState>();
  const adopted = new Map<string, Gate>();
  const drained = new Set<string>();

  function entryOf(target: string, credential: string): TargetEntry {
    const key = keyOf(target, credential);
    const found = targets.get(key) ?? { target, credential, breaker: breaker.CLOSED, hint: undefined, inFlight: 0 };
    remember(targets, key, found, maxTargets);
    return found;
  }

  function gateOf(target: string, name: string, now: number): Gate | undefined {
    if (drained.has(target)) return { by: 'drained', until: now + DRAINED_LOOK_MS, failure: drainedFailure(target) };
    const own = ownGate(target, name, now);
    if (adopted.size === 0) return own;
    const others = [adopted.get(keyOf(target, name)), adopted.get(keyOf('', name))];
    return [own, ...others]
      .filter((gate) => gate !== undefined && gate.until > now)
      .reduce((longest, gate) => (gate && gate.until > (longest?.until ?? 0) ? gate : longest), undefined);
  }

  function ownGate(target: string, name: string, now: number): Gate | undefined {
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

  return {
    entryOf,
    gateOf,
    ownGate,
    entries: () => [...targets.values()],
    credential: (name: string) => credentials.get(name) ?? breaker.CLOSED,
    setCredential: (name: string, state: breaker.BreakerState) => remember(credentials, name, state, maxTargets),
    adopt({ target, credential, gate }: ClosedGate) {
      remember(adopted, keyOf(gate.by === 'credential' ? '' : target, credential), gate, maxTargets);
    },
    /** Opens everything that stands before the target with these credentials, but for a drain. */
    reset(target: string, names: readonly string[]) {
      for (const name of names) {
        const entry = targets.get(keyOf(target, name));
        if (entry) {
          entry.breaker = breaker.reset(entry.breaker);
          entry.hint = undefined;
        }
        const credential = credentials.get(name);
        if (credential) credentials.set(name, breaker.reset(credential));
        adopted.delete(keyOf(target, name));
        adopted.delete(keyOf('', name));
      }
    },
    /** Takes a target out, or back in; names come from the operator and are those of known targets. */
    drain(target: string, isDrained: boolean) {
      if (isDrained) drained.add(target);
      else drained.delete(target);
    },
    drained: (): readonly string[] => [...drained],
  };
}

/** Nobody knows how long an operator keeps a target out: those who may wait look again. */
const DRAINED_LOOK_MS = 60_000;

function drainedFailure(target: string): Failure {
  const message = `${target} was taken out by an operator; \`onetake targets resume ${target}\` takes it back in`;
  return { kind: 'unavailable', certainty: 'not_sent', message };
}

function keyOf(target: string, credential: string): string {
  return `${target} ${credential}`;
}

export function laterHint(known: Failure | undefined, told: Failure): Failure {
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
