import type { FairClock, RunPlan, Ticket } from '@onetake/core';

export interface TicketWork {
  readonly caller: string;
  readonly plan: RunPlan;
  /** What one attempt counts for in fairness. */
  readonly cost: number;
  /** Its start tag at its first target; a new one where it has none. */
  readonly tag?: number;
}

/** Its place at each target: the one it came with at its first, a new one wherever it falls back to. */
export function ticketsOf({ caller, plan, cost, tag }: TicketWork, clock: FairClock): (target: string) => Ticket {
  const tickets = new Map<string, Ticket>();
  const [first] = plan.targets;
  if (first && tag !== undefined) tickets.set(first.id, { caller, tag });
  return (target) => {
    const known = tickets.get(target);
    if (known) return known;
    const ticket = { caller, tag: clock.tag(target, caller, plan.priority ?? 'interactive', cost).tag };
    tickets.set(target, ticket);
    return ticket;
  };
}
