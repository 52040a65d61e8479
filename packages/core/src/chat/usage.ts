import { isObject, type JsonObject, type JsonValue, numberAt } from '../json.ts';
import type { ChatRequest, ChatUsage } from './chat.ts';
import { estimateTokens } from './estimate.ts';

/** More than any model takes or gives in one answer; what tells more is taken for no usage at all. */
const MAX_TOKENS = 100_000_000;

/**
 * The usage told in an answer, or in the data of one event of a stream, of any endpoint; undefined where it tells
 * none, or counts that cannot be. Read where servers put it: `usage`; `response.usage` (events of the Responses API);
 * `x_groq.usage` (Groq's streams); `choices[0].usage` (Moonshot's). A later event of a stream replaces an earlier one.
 */
export function usageIn(value: JsonValue | undefined): ChatUsage | undefined {
  if (!isObject(value)) return undefined;
  const { usage, response, x_groq: groq, choices } = value;
  const [choice] = Array.isArray(choices) ? choices : [];
  const places = [usage, memberOf(response, 'usage'), memberOf(groq, 'usage'), memberOf(choice, 'usage')];
  const told = places.find(isObject);
  return told && normalised(told);
}

/**
 * What was probably used, in tokens, where no answer told it. Of a stream each of the `events` with content counts as
 * one; without any the output is a fourth of its `bytes`. Embeddings put nothing out.
 */
export function estimatedUsage(
  { endpoint, inputTokens }: ChatRequest,
  output: { readonly bytes: number; readonly events: number },
): ChatUsage {
  const said = output.events > 0 ? output.events : estimateTokens(output.bytes);
  return { ...shaped(inputTokens, endpoint === 'embeddings' ? 0 : said, {}), estimated: true };
}

/** What counts as part of the input or of the output, where it was told. */
interface Parts {
  readonly cached?: number;
  readonly cacheWritten?: number;
  readonly reasoning?: number;
}

/**
 * xAI counts what was thought beside `completion_tokens`, Google only in `total_tokens`; both bill it as output. So
 * output is what the total holds beyond the input, where that is more. DeepSeek tells what was cached as
 * `prompt_cache_hit_tokens`, Moonshot and Together as `cached_tokens` of the usage itself, Perplexity `reasoning_tokens`
 * so; Voyage tells a total alone.
 */
function normalised(usage: JsonObject): ChatUsage | undefined {
  const given = count(usage, 'input_tokens') ?? count(usage, 'prompt_tokens');
  const made = count(usage, 'output_tokens') ?? count(usage, 'completion_tokens');
  const total = count(usage, 'total_tokens');
  const input = given ?? (made === undefined ? total : undefined);
  if (input === undefined || ![given, made, total].every(isPossible)) return undefined;
  const output = Math.max(made ?? 0, total === undefined ? 0 : total - input);
  if (input + output === 0) return undefined;
  const inputs = usage.input_tokens_details ?? usage.prompt_tokens_details;
  const outputs = usage.output_tokens_details ?? usage.completion_tokens_details;
  return shaped(input, output, {
    cached: part(input, [numberAt(inputs, 'cached_tokens'), ...CACHED.map((key) => numberAt(usage, key))]),
    cacheWritten: part(input, [numberAt(inputs, 'cache_write_tokens')]),
    reasoning: part(output, [numberAt(outputs, 'reasoning_tokens'), numberAt(usage, 'reasoning_tokens')]),
  });
}

const CACHED = ['prompt_cache_hit_tokens', 'cached_tokens', 'cached_prompt_tokens'];

function shaped(input: number, output: number, { cached = 0, cacheWritten = 0, reasoning = 0 }: Parts): JsonObject {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, ...(cacheWritten > 0 && { cache_write_tokens: cacheWritten }) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

/** The number at `key`, possible or not; undefined where there is none, or null. */
function count(usage: JsonObject, key: string): number | undefined {
  const value = usage[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? value : Number.NaN;
}

function isPossible(tokens: number | undefined): boolean {
  return tokens === undefined || (Number.isInteger(tokens) && tokens >= 0 && tokens <= MAX_TOKENS);
}

/** The first of the counts that can be, and no more than the whole that it is a part of. */
function part(whole: number, counts: readonly (number | undefined)[]): number {
  const told = counts.find((one) => one !== undefined && isPossible(one));
  return Math.min(told ?? 0, whole);
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) ? value[key] : undefined;
}
