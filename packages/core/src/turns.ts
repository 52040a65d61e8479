import type { Turns } from './environment.ts';
import { credentialsOf, type HealthBook } from './health.ts';
import type { HostLoads } from './host-loads.ts';
import type { Io } from './io.ts';
import type { Pacer, Ticket, Turn } from './pacing.ts';
import type { FairClock } from './policy/fair-queue.ts';

export interface TurnsOptions {
  readonly pacer: Pacer;
  readonly health: HealthBook;
  readonly io: Pick<Io, 'now'>;
  /** Its place in the queue of a target; asked once for each. */
  readonly ticket: (target: string) => Ticket;
  /** Its turn has come: fairness goes on from its tag. */
  readonly clock?: Pick<FairClock, 'started'>;
  /** Asked before a turn is taken, so that it is for the server with least to do. */
  readonly loads?: Pick<HostLoads, 'refresh'>;
  /** Taken before the run began: the first attempt at this target goes with it. */
  readonly first?: FirstTurn;
}

export interface FirstTurn {
  readonly target: string;
  readonly images: number;
  readonly turn: Turn;
}

/** The turns of one run: its place in the pacer's queues, with keys that health knows nothing against. */
export function createTurns({
  pacer,
  health,
  io,
  ticket: makeTicket,
  clock,
  loads,
  first,
}: TurnsOptions): Turns & { close(): void } {
  const tickets = new Map<string, Ticket>();
  let inHand = first;
  const dropFirst = () => {
    inHand?.turn.giveBack();
    inHand = undefined;
  };
  const ticket = (target: string): Ticket => {
    const known = tickets.get(target) ?? makeTicket(target);
    tickets.set(target, known);
    return known;
  };
  return {
    async take(target, claim, signal, avoid = []) {
      if (inHand?.target === target.id && inHand.images === claim.images) {
        const { turn } = inHand;
        inHand = undefined;
        return turn;
      }
      dropFirst();
      const credentials = () => preferred(health.openCredentials(target, io.now()), avoid);
      const own = ticket(target.id);
      await loads?.refresh(target.id);
      const [turn] = await pacer.take({ target: target.id, credentials, claim, ticket: own, signal });
      if (turn) clock?.started(target.id, own.tag);
      return turn;
    },
    adopt: (target, credential) => pacer.adopt(target.id, credential, ticket(target.id).caller),
    expect(target, claim) {
      if (inHand?.target === target.id && inHand.images === claim.images) return undefined;
      return pacer.expect(target.id, claim, ticket(target.id));
    },
    close: dropFirst,
  };
}

/** Those not to be avoided; where none is left those least to be, so that nobody waits for what will not come. */
function preferred(open: readonly string[], avoid: readonly string[]): readonly string[] {
  for (let from = 0; from < avoid.length; from += 1) {
    const rest = open.filter((one) => !avoid.slice(from).includes(one));
    if (rest.length > 0) return rest;
  }
  return open;
}

/** Turns without limits or queues, at once. */
export const FREE_TURNS: Turns = {
  take: async (target, _claim, _signal, avoid = []) =>
    freeTurn(preferred(credentialsOf(target), avoid)[0] ?? target.credential),
  adopt: (_target, credential) => freeTurn(credential),
  expect: () => undefined,
};

function freeTurn(credential: string): Turn {
  return { credential, sent: () => {}, observe: () => {}, settle: () => {}, giveBack: () => {} };
}
