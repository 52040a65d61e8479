import type { Turns } from './environment.ts';
import { credentialsOf, type HealthBook } from './health.ts';
import type { Io } from './io.ts';
import type { Pacer, Ticket, Turn } from './pacing.ts';

export interface TurnsOptions {
  readonly pacer: Pacer;
  readonly health: HealthBook;
  readonly io: Pick<Io, 'now'>;
  readonly ticket: Ticket;
  /** Taken before the run began: the first attempt at this target goes with it. */
  readonly first?: FirstTurn;
}

export interface FirstTurn {
  readonly target: string;
  readonly images: number;
  readonly turn: Turn;
}

/** The turns of one run: its place in the pacer's queues, with keys that health knows nothing against. */
export function createTurns({ pacer, health, io, ticket, first }: TurnsOptions): Turns & { close(): void } {
  let inHand = first;
  const dropFirst = () => {
    inHand?.turn.giveBack();
    inHand = undefined;
  };
  return {
    async take(target, claim, signal) {
      if (inHand?.target === target.id && inHand.images === claim.images) {
        const { turn } = inHand;
        inHand = undefined;
        return turn;
      }
      dropFirst();
      const credentials = () => health.openCredentials(target, io.now());
      const [turn] = await pacer.take({ target: target.id, credentials, claim, ticket, signal });
      return turn;
    },
    expect(target, claim) {
      if (inHand?.target === target.id && inHand.images === claim.images) return undefined;
      return pacer.expect(target.id, claim, ticket);
    },
    close: dropFirst,
  };
}

/** Turns without limits or queues, at once. */
export const FREE_TURNS: Turns = {
  take: async (target) => ({
    credential: credentialsOf(target)[0] ?? target.credential,
    observe: () => {},
    settle: () => {},
    giveBack: () => {},
  }),
  expect: () => undefined,
};
