export type Priority = 'interactive' | 'batch';

/** Where something stands in a queue: `tag` orders it, `tag + cost` is where its lane goes on. */
export interface FairTag {
  readonly tag: number;
  readonly cost: number;
}

/** What is known of a queue that waits in a store. */
export interface RestoredQueue {
  readonly queue: string;
  readonly head: { readonly tag: number };
  readonly lanes: readonly { readonly caller: string; readonly priority: Priority; readonly lastFinish: number }[];
}

/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996). Per queue a virtual time V, the start tag of the last turn given;
 * per lane (caller and priority) the finish tag F of its last request. A new one gets max(V, F), so a lane that was
 * idle saves nothing up, and two that always wait get shares that differ by the cost of two requests at most.
 */
export interface FairClock {
  /** The place of a new request; `cost` is what it weighs, such as its pictures. */
  tag(queue: string, caller: string, priority: Priority, cost: number): FairTag;
  /** A request with this tag has its turn. */
  started(queue: string, tag: number): void;
  /** Goes on from what waits in a store. */
  restore(queues: readonly RestoredQueue[]): void;
}

/** What `batch` weighs more than `interactive`: it gets a tenth where both wait. */
const BATCH_WEIGHT = 10;
const MIN_COST = 1e-6;
const MAX_QUEUES = 10_000;
const MAX_LANES = 10_000;

interface Queue {
  virtualTime: number;
  readonly lanes: Map<string, number>;
}

export function createFairClock({ maxLanes = MAX_LANES }: { readonly maxLanes?: number } = {}): FairClock {
  const queues = new Map<string, Queue>();

  function queueOf(name: string): Queue {
    const queue = queues.get(name) ?? { virtualTime: 0, lanes: new Map() };
    queues.delete(name);
    queues.set(name, queue);
    const oldest = queues.keys().next();
    if (queues.size > MAX_QUEUES && !oldest.done) queues.delete(oldest.value);
    return queue;
  }

  return {
    tag(name, caller, priority, cost) {
      const queue = queueOf(name);
      const lane = laneName(caller, priority);
      const weighed = Math.max(cost, MIN_COST) * (priority === 'batch' ? BATCH_WEIGHT : 1);
      const tag = Math.max(queue.virtualTime, queue.lanes.get(lane) ?? 0);
      setLane(queue, lane, tag + weighed, maxLanes);
      return { tag, cost: weighed };
    },
    started(name, tag) {
      const queue = queueOf(name);
      queue.virtualTime = Math.max(queue.virtualTime, tag);
    },
    restore(restored) {
      for (const { queue: name, head, lanes } of restored) {
        const queue = queueOf(name);
        // Nothing that waits has a lower tag, so a newcomer begins beside what is first.
        queue.virtualTime = Math.max(queue.virtualTime, head.tag);
        for (const { caller, priority, lastFinish } of lanes) {
          const lane = laneName(caller, priority);
          setLane(queue, lane, Math.max(queue.lanes.get(lane) ?? 0, lastFinish), maxLanes);
        }
      }
    },
  };
}

function laneName(caller: string, priority: Priority): string {
  return `${priority}:${caller}`;
}

/** A lane that virtual time has passed says nothing any more; when all are ahead of it, the oldest is forgotten. */
function setLane(queue: Queue, lane: string, finish: number, maxLanes: number): void {
  const { lanes, virtualTime } = queue;
  lanes.delete(lane);
  lanes.set(lane, finish);
  if (lanes.size <= maxLanes) return;
  for (const [name, end] of lanes) if (end <= virtualTime) lanes.delete(name);
  const oldest = lanes.keys().next();
  if (lanes.size > maxLanes && !oldest.done) lanes.delete(oldest.value);
}
