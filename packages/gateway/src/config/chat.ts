import { z } from 'zod';

const MAX_MODEL_CHARS = 1_000;
const DEFAULT_REWRITE_MS = 30_000;
const DEFAULT_JUDGE_MS = 20_000;
const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 300_000;

const MODEL = 'a model for chat, or a route of such';
const model = z.string({ error: MODEL }).min(1, { error: MODEL }).max(MAX_MODEL_CHARS, { error: MODEL });

const TIMEOUT = `a whole number of milliseconds from ${MIN_TIMEOUT_MS} to ${MAX_TIMEOUT_MS}`;
const timeout = z
  .int({ error: TIMEOUT })
  .min(MIN_TIMEOUT_MS, { error: TIMEOUT })
  .max(MAX_TIMEOUT_MS, { error: TIMEOUT });

/** The section `chat`: models of chat that the gateway itself asks, for the caller whose picture it is about. */
export const chat = z.strictObject(
  {
    rewrite_model: model.exactOptional(),
    rewrite_timeout_ms: timeout.default(DEFAULT_REWRITE_MS),
    judge_model: model.exactOptional(),
    judge_timeout_ms: timeout.default(DEFAULT_JUDGE_MS),
  },
  { error: 'a map' },
);

export interface ChatConfig {
  /** Asked for milder words where a ladder comes to `rewrite` and the local rules have none. */
  readonly rewriteModel?: string;
  readonly rewriteTimeoutMs: number;
  /** Scores the candidates of sets that want the best. */
  readonly judgeModel?: string;
  readonly judgeTimeoutMs: number;
}

export function chatConfig(section: z.infer<typeof chat>): ChatConfig {
  const { rewrite_model, rewrite_timeout_ms, judge_model, judge_timeout_ms } = section;
  return {
    ...(rewrite_model !== undefined && { rewriteModel: rewrite_model }),
    rewriteTimeoutMs: rewrite_timeout_ms,
    ...(judge_model !== undefined && { judgeModel: judge_model }),
    judgeTimeoutMs: judge_timeout_ms,
  };
}
