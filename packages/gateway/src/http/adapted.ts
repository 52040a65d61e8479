import {
  type Adaptation,
  type Generation,
  isChatPlan,
  type JsonObject,
  type Plan,
  type PlannedTarget,
  type RunPlan,
  targetInForce,
} from '@onetake/core';
import type { AnyPlan } from '../store/plan-kind.ts';
import { rewrittenFields, warningFields } from './refused.ts';

/** Who made the first picture, or was tried last. */
export function targetOf(plan: Plan, generation: Generation): PlannedTarget | undefined {
  const target = plan.targets.find(({ id }) => id === generation.targets[0]);
  const [run] = generation.runs;
  return target && run ? targetInForce(plan, run, target) : target;
}

/** Where the request came from and what became of it on its way, for the body's `onetake`: nothing where nothing is known of it. */
export function adaptedFields(plan: AnyPlan, generation: Generation): JsonObject {
  const { passedOver } = plan;
  return {
    ...(!isChatPlan(plan) && changedFields(plan, generation)),
    ...(passedOver && { passed_over: passedOver.map(({ target, reason }) => ({ target, reason })) }),
  };
}

function changedFields(plan: Plan, generation: Generation): JsonObject {
  const adapted = targetOf(plan, generation)?.adapted;
  const { regeneratedFrom } = plan;
  return {
    ...(regeneratedFrom !== undefined && { regenerated_from: regeneratedFrom }),
    ...(adapted && { adapted: adapted.map(adaptationItem) }),
    ...warningFields(plan),
    ...rewrittenFields(plan, generation),
  };
}

export function adaptationItem({ field, action, from, to, reason }: Adaptation): JsonObject {
  return {
    field,
    action,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(reason !== undefined && { reason }),
  };
}

const MAX_TOLD = 20;

/** `size=mapped, seed=dropped`: what was changed, each field once, and no header where nothing was. */
export function adaptedHeader(plan: Plan, generation: Generation): Record<string, string> {
  const changed = targetOf(plan, generation)?.adapted?.filter(({ action }) => action !== 'kept') ?? [];
  if (changed.length === 0) return {};
  const told = changed.slice(0, MAX_TOLD).map(({ field, action }) => `${headerName(field)}=${action}`);
  return { 'x-onetake-adapted': told.join(', ') };
}

/** Fields that Onetake does not know may have any name. */
function headerName(field: string): string {
  return field.replaceAll(/[^\w.[\]-]/g, '?');
}

/** `Warning: 299`, a persistent warning (RFC 7234, 5.5), where a retired model's successor serves. */
export function warningHeader({ successor }: RunPlan): Record<string, string> {
  if (successor === undefined) return {};
  const { of, retiredOn, target } = successor;
  return { warning: `299 onetake "${of} was retired on ${retiredOn}; ${target} serves instead"` };
}

/** `1 (network)`: how many targets of the route were passed over, and why the first one was. */
export function fallbackHeader(plan: RunPlan, generation: Generation): Record<string, string> {
  const at = plan.targets.findIndex((target) => target.id === generation.targets[0]);
  const unfit = plan.passedOver?.filter((one) => one.at <= at) ?? [];
  const passed = at + unfit.length;
  if (at < 0 || passed === 0) return {};
  const [first] = generation.runs;
  const failed = first?.attempts.find((attempt) => attempt.outcome?.ok === false)?.outcome;
  const ofFirst = failed?.ok === false ? failed.failure.kind : (first?.skippedFor ?? 'unavailable');
  return { 'x-onetake-fallback': `${passed} (${unfit.find((one) => one.at === 0)?.kind ?? ofFirst})` };
}
