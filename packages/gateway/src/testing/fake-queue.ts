import type { FirstTurn, Pacer, Turn, TurnRequest } from '@onetake/core';
import type { QueueHead, Store, StoredGeneration, WaitingRequest } from '../store/store.ts';
import { sampleSnapshot } from './task-samples.ts';

export const SAMPLE_QUEUE = 'sandbox/ok';

/** A store in which generations wait in one queue, as its contract says: lowest tag first, callers left out by name. */
export function createFakeQueue() {
  let waiting: readonly StoredGeneration[] = [];
  const asked: WaitingRequest[] = [];
  const faults: Error[] = [];
  const duringClaim: (() => void)[] = [];
  const first = (except: readonly string[] = []): QueueHead | undefined => {
    const [head] = waiting.filter(({ caller }) => !except.includes(caller));
    return head && { tag: head.tag ?? 0, images: 1 };
  };
  const store: Pick<Store, 'claimWaiting' | 'queues'> = {
    async claimWaiting(wanted) {
      asked.push(wanted);
      const fault = faults.shift();
      if (fault) throw fault;
      const { beforeTag = Number.POSITIVE_INFINITY } = wanted;
      const open = waiting.filter(({ caller, tag = 0 }) => !wanted.exceptCallers.includes(caller) && tag < beforeTag);
      const claimed = open.slice(0, wanted.most);
      waiting = waiting.filter((one) => !claimed.includes(one));
      const next = first(wanted.exceptCallers);
      duringClaim.shift()?.();
      return { claimed, next };
    },
    queues: async () => {
      const head = first();
      return head ? [{ queue: SAMPLE_QUEUE, head, lanes: [] }] : [];
    },
  };
  return {
    store: store as Partial<Store> as Store,
    /** What `claimWaiting` was asked for. */
    asked,
    /** The next claims reject with these. */
    faults,
    /** Run while a claim is under way, after it took what it takes. */
    duringClaim,
    waiting: () => waiting.map(({ id }) => id),
    put(id: string, tag: number, caller = 'local') {
      const added = sampleSnapshot({ id, tag, caller });
      waiting = [...waiting, added].toSorted((one, other) => (one.tag ?? 0) - (other.tag ?? 0));
    },
  };
}

/** Gives turns as they are granted. */
export function createFakePacer() {
  const asked: TurnRequest[] = [];
  let waiting: readonly (() => boolean)[] = [];
  let free = 0;
  let givenBack = 0;
  const turn: Turn = {
    credential: 'key',
    sent: () => {},
    observe: () => {},
    settle: () => {},
    giveBack: () => {
      givenBack += 1;
    },
  };
  const serve = () => {
    waiting = waiting.filter((take) => !take());
  };
  const pacer: Pick<Pacer, 'take'> = {
    take: (request) =>
      new Promise<readonly FirstTurn['turn'][]>((resolve) => {
        asked.push(request);
        request.signal?.addEventListener('abort', () => resolve([]), { once: true });
        const take = () => {
          if (request.signal?.aborted) return true;
          const count = Math.min(free, request.most ?? 1);
          free -= count;
          if (count > 0) resolve(Array.from({ length: count }, () => turn));
          return count > 0;
        };
        waiting = [...waiting, take];
        serve();
      }),
  };
  return {
    pacer: pacer as Partial<Pacer> as Pacer,
    asked,
    givenBack: () => givenBack,
    grant(count: number) {
      free += count;
      serve();
    },
  };
}
