import { type Catalogue, type ClosedGate, type HealthBook, keysOf, splitTarget } from '@onetake/core';
import type { StateCells } from '../store/state-cells.ts';

/** What an operator does to targets by hand. */
export interface TargetOperations {
  /** Opens the breakers of a target and of its keys, on every node. */
  reset(target: string): Promise<void>;
  /** Nothing new goes there until it is resumed, on every node and after a restart. */
  drain(target: string): Promise<void>;
  resume(target: string): Promise<void>;
  drained(): readonly string[];
  /** Whether a configured provider could be asked for it. */
  isKnown(target: string): boolean;
}

/** What was last done to one target: all that another node, or a later process, need know. */
interface Hand {
  readonly drained: boolean;
  /** How often it was reset. */
  readonly resets: number;
}

export interface TargetOperationsOptions {
  readonly health: HealthBook;
  readonly catalogue: Catalogue;
  /** By target; those of all nodes. */
  readonly hands: StateCells;
  /** Closed gates as the nodes share them, by credential and target; absent where there is one node. */
  readonly gates?: StateCells;
}

const NOTHING_DONE: Hand = { drained: false, resets: 0 };

/** Takes up what was drained before, and what other nodes do from here on. */
export function createTargetOperations({ health, catalogue, hands, gates }: TargetOperationsOptions): TargetOperations {
  const seenResets = new Map<string, number>();
  for (const target of hands.keys()) apply(target, false);
  hands.onChange((target) => apply(target, true));

  /** Resets of before this process began are over. */
  function apply(target: string, isNew: boolean): void {
    const { drained, resets } = hands.peek<Hand>(target) ?? NOTHING_DONE;
    health.drain(target, drained);
    if (isNew && resets > (seenResets.get(target) ?? 0)) health.reset(pooled(target));
    seenResets.set(target, resets);
  }

  function pooled(target: string) {
    const credentials = keysOf(target, catalogue) ?? [splitTarget(target).provider];
    return { id: target, credential: credentials[0] ?? target, credentials };
  }

  async function change(target: string, act: (hand: Hand) => Hand): Promise<void> {
    await hands.update<Hand, void>(target, (hand = NOTHING_DONE) => ({ value: act(hand), result: undefined }));
    apply(target, true);
  }

  return {
    async reset(target) {
      // A node that starts later must not find what was closed before.
      for (const key of pooled(target).credentials.flatMap((name) => [`${name} ${target}`, `${name} `])) {
        if (gates?.peek(key) === undefined) continue;
        await gates.update<ClosedGate, void>(key, (known) => ({ value: opened(known, target), result: undefined }));
      }
      await change(target, (hand) => ({ ...hand, resets: hand.resets + 1 }));
    },
    drain: (target) => change(target, (hand) => ({ ...hand, drained: true })),
    resume: (target) => change(target, (hand) => ({ ...hand, drained: false })),
    drained: health.drained,
    isKnown(target) {
      const { provider, model } = splitTarget(target);
      return model !== '' && catalogue.connections.some(({ id }) => id === provider);
    },
  };
}

function opened(known: ClosedGate | undefined, target: string): ClosedGate {
  if (known) return { ...known, gate: { ...known.gate, until: 0 } };
  const failure = { kind: 'unavailable', certainty: 'not_sent', message: 'reset' } as const;
  return { target, credential: '', gate: { by: 'breaker', until: 0, failure } };
}
