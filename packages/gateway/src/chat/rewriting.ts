import {
  askForMilder,
  type Catalogue,
  type Io,
  type MilderWords,
  modelOf,
  type Plan,
  type RewriteAsked,
  type RunEnvironment,
  readMilder,
} from '@onetake/core';
import type { Live } from '../tasks/live.ts';
import { traceBelow } from '../tracing/trace-context.ts';
import type { Ask } from './ask.ts';

export interface RewritingOptions {
  readonly ask: Ask;
  readonly catalogue: Catalogue;
  readonly timeoutMs: number;
  readonly io: Pick<Io, 'now'>;
}

/** Milder words for the runs of a generation, by the chat model that their ladder names. */
export type Rewriting = (live: Live) => NonNullable<RunEnvironment['rewriteWith']>;

/** Asks once for all runs of a generation that are refused in the same words; the caller of the picture pays. */
export function createRewriting(options: RewritingOptions): Rewriting {
  const asked = new WeakMap<Live, Map<string, Promise<MilderWords>>>();
  return (live) => (rewrite, signal) => {
    const words = asked.get(live) ?? new Map<string, Promise<MilderWords>>();
    asked.set(live, words);
    const known = words.get(rewrite.prompt) ?? askOnce(live, rewrite, signal, options);
    words.set(rewrite.prompt, known);
    return known;
  };
}

async function askOnce(
  { id, caller, requestId }: Live,
  { model, plan, prompt, failure, attempt }: RewriteAsked,
  signal: AbortSignal,
  { ask, catalogue, timeoutMs, io }: RewritingOptions,
): Promise<MilderWords> {
  const leftMs = Math.min(timeoutMs, plan.deadlineAt - io.now());
  if (leftMs <= 0) return { ok: false, why: 'there is no time left to ask' };
  const told = await ask({
    ...{ caller, requestId, model, signal, timeoutMs: leftMs },
    body: askForMilder(model, prompt, failure),
    purpose: `rewrite of ${id}, attempt ${attempt}`,
    trace: traceBelow(id, plan.trace),
  });
  const generation = told.generation === undefined ? {} : { generation: told.generation };
  if (!told.ok) return { ...generation, ok: false, why: told.why };
  const rules = plan.ruled ? catalogue.promptRules?.rules : undefined;
  return { ...readMilder(told.answer, prompt, { rules, maxChars: shortest(plan, catalogue) }), ...generation };
}

/** Any target of the route may be asked in the new words. */
function shortest({ targets }: Plan, catalogue: Catalogue): number | undefined {
  const known = targets.flatMap(({ id }) => modelOf(id, catalogue)?.capabilities?.maxPromptChars ?? []);
  return known.length > 0 ? Math.min(...known) : undefined;
}
