import type { Failure } from './failure.ts';
import type { Plan } from './plan.ts';
import type { PromptFinding } from './policy/prompt-finding.ts';
import { checkPrompt, NO_RULES, type PromptRules, promptFailure } from './policy/prompt-rules.ts';
import { checkReferences, referenceFailure } from './policy/reference-rules.ts';
import { type Rewrite, rewrite } from './policy/rewrite.ts';
import type { ImageRequest } from './request.ts';

/** Rules as they are configured. */
export interface ConfiguredRules {
  readonly rules: PromptRules;
  /** They hold for every request that says nothing else; otherwise only where a route or a request says so. */
  readonly everywhere: boolean;
}

/** What a prompt is told by the rules, fixed with its plan so that a change of them bends no run in flight. */
type JudgedPrompt = { readonly failure: Failure } | { readonly told: Pick<Plan, 'warnings' | 'rewrite' | 'ruled'> };

/**
 * Holds a prompt against what no model draws, and against the rules where `wanted`, or by default, they hold. What goes
 * on from a picture that is made, a variation or an upscale, was judged with that picture.
 */
export function judgePrompt(
  { prompt, operation }: Pick<ImageRequest, 'prompt' | 'operation'>,
  wanted: boolean | undefined,
  configured: ConfiguredRules | undefined,
): JudgedPrompt {
  if (operation === 'variation' || operation === 'upscale') return { told: {} };
  const holds = wanted ?? configured?.everywhere ?? false;
  const rules = (holds ? configured?.rules : undefined) ?? NO_RULES;
  const check = checkPrompt(prompt, rules);
  const failure = promptFailure(check);
  if (failure) return { failure };
  if (rules === NO_RULES) return { told: toldBy(check.findings, undefined) };
  return { told: { ...toldBy(check.findings, rewrite(prompt, rules)), ruled: true } };
}

/** Holds the pictures of an edit, by their bytes, against what no provider takes; a model's own limits are its own. */
export function judgeReferences({ operation, images = [], mask }: ImageRequest): Failure | undefined {
  if (operation !== 'edit') return undefined;
  return referenceFailure(checkReferences({ images, ...(mask && { mask }) }, { model: 'Onetake' }));
}

function toldBy(warnings: readonly PromptFinding[], milder: Rewrite | undefined): Pick<Plan, 'warnings' | 'rewrite'> {
  return { ...(warnings.length > 0 && { warnings }), ...(milder && { rewrite: milder }) };
}
