import { type ChatPlan, isChatPlan, type Plan } from '@onetake/core';

/** What was fixed of a generation when it arrived, whatever it makes. */
export type AnyPlan = Plan | ChatPlan;

export function makesPictures<Of extends { readonly plan: AnyPlan }>(one: Of): one is Of & { readonly plan: Plan } {
  return !isChatPlan(one.plan);
}

export function makesChat<Of extends { readonly plan: AnyPlan }>(one: Of): one is Of & { readonly plan: ChatPlan } {
  return isChatPlan(one.plan);
}

/** What lists show of a request: its prompt, or the beginning of what was said last. */
export function promptOf(plan: AnyPlan): string {
  return isChatPlan(plan) ? plan.chat.excerpt : plan.request.prompt;
}
