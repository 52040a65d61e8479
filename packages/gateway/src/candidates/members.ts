import type { ImageRequest, Plan, planImage } from '@onetake/core';

/** One candidate as it was asked for; without a model it is made by that of the request. */
export interface AskedMember {
  readonly model?: string;
  readonly seed?: number;
}

/** One candidate as it is submitted. */
export interface MemberRequest {
  readonly request: ImageRequest;
  readonly model: string | undefined;
  readonly plan: Plan;
}

type Planned = ReturnType<typeof planImage>;

export type PlannedMembers =
  | { readonly ok: true; readonly members: readonly MemberRequest[] }
  | { readonly ok: false; readonly index: number; readonly planned: Extract<Planned, { ok: false }> };

export interface MembersOptions {
  readonly request: ImageRequest;
  readonly model: string | undefined;
  readonly asked: readonly AskedMember[];
  /** Plans a request as its submission will. */
  readonly plan: (request: ImageRequest, model: string | undefined) => Planned;
}

/**
 * Makes each candidate a request of its own, before anything is sent. Candidates of one model differ in their seed: the
 * request's own, counted up; where it has none each gets the one that is drawn for every request. `index` is the first
 * that cannot be made, from 1.
 */
export function planMembers({ request, model: usual, asked, plan }: MembersOptions): PlannedMembers {
  const members: MemberRequest[] = [];
  const counted = new Map<string, number>();
  for (const [at, { model = usual, seed }] of asked.entries()) {
    const before = counted.get(model ?? '') ?? 0;
    if (seed === undefined) counted.set(model ?? '', before + 1);
    const own = withSeed(request, seed ?? (request.seed === undefined ? undefined : request.seed + before));
    const planned = plan(own, model);
    if (!planned.ok) return { ok: false, index: at + 1, planned };
    members.push({ request: own, model, plan: planned.plan });
  }
  return { ok: true, members };
}

/** Counted past the largest whole number, it begins again at 0. */
function withSeed(request: ImageRequest, seed: number | undefined): ImageRequest {
  if (seed === undefined) return request;
  return { ...request, seed: seed > Number.MAX_SAFE_INTEGER ? seed - Number.MAX_SAFE_INTEGER - 1 : seed };
}
