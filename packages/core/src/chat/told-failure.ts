import { failureOf, presentable } from '../classify.ts';
import { FAILURES, type Failure } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { Provider } from '../providers/provider.ts';
import type { StreamEvent } from './stream-events.ts';

/**
 * The error that an event holds, as the object or words it is told in: `{error: {…}}` and `{error: "text"}` of
 * chat/completions and its copies, Google's list of one, vLLM's flat `{object: 'error', …}`, the flat
 * `{type: 'error', code, message}` and `response.failed` of Responses, and whatever comes under the event name `error`.
 * Undefined where there is none; an empty error is none.
 */
export function errorIn({ name, value, text }: Pick<StreamEvent, 'name' | 'value' | 'text'>): JsonObject | undefined {
  const told = errorOf(value);
  if (told !== undefined || name !== 'error') return told;
  return isObject(value) ? value : { message: text ?? '' };
}

/** The same of a whole answer. */
export function errorOf(told: JsonValue | undefined): JsonObject | undefined {
  const value = Array.isArray(told) ? told[0] : told;
  if (!isObject(value)) return undefined;
  const { error, type, response } = value;
  if (isObject(error) && Object.keys(error).length > 0) return error;
  if (typeof error === 'string' && error !== '') return { ...codeAndStatus(value), message: error };
  if (type === 'error' || value.object === 'error') return value;
  if (type === 'response.failed') return isObject(response) ? failedResponse(response) : { message: 'it failed' };
  return value.object === 'response' && value.status === 'failed' ? failedResponse(value) : undefined;
}

function codeAndStatus({ code, status }: JsonObject): JsonObject {
  return { ...(code !== undefined && { code }), ...(status !== undefined && { status }) };
}

/** https://platform.openai.com/docs/api-reference/responses/object: `error` of a failed response is `{code, message}`. */
function failedResponse({ error }: JsonObject): JsonObject {
  return isObject(error) && Object.keys(error).length > 0 ? error : { message: 'the response failed' };
}

/** What a code, a type or a name of a state means as a status; the first that matches, of codes compared without case and signs. */
const STATUS_BY_WORDS: readonly (readonly [RegExp, number])[] = [
  [/insufficientquota|quotaexceeded|billing|insufficientbalance|paymentrequired/, 402],
  [/ratelimit|toomanyrequests|resource(?:hasbeen)?exhausted|slowdown|throttl|^tokens$|^requests$/, 429],
  [/overload|unavailable|capacity|systemresource/, 529],
  [/authentication|unauthenticated|unauthorized|apikey/, 401],
  [/permission|forbidden|accessdenied/, 403],
  [/notfound/, 404],
  [/toolarge/, 413],
  [/timeout|servererror|apierror|internal|^error$|unknown/, 500],
  [/invalid|badrequest|contextlength|unsupported|unprocessable|validation|contentfilter|contentpolicy|image/, 400],
];

/** The status an error means by its own numbers and words; 500 where they say nothing. */
function statusOf(error: JsonObject): number {
  for (const key of ['status', 'status_code', 'code', 'type']) {
    const given = numberAt(error, key) ?? Number(stringAt(error, key) ?? Number.NaN);
    if (Number.isInteger(given) && given >= 400 && given < 600) return given;
  }
  for (const key of ['code', 'type', 'status']) {
    const words =
      stringAt(error, key)
        ?.toLowerCase()
        .replaceAll(/[^a-z]/g, '') ?? '';
    const found = words === '' ? undefined : STATUS_BY_WORDS.find(([pattern]) => pattern.test(words));
    if (found) return found[1];
  }
  return 500;
}

/** An answer with this error in it, the way the provider tells it with a status. */
function asAnswer(error: JsonObject, headers: HttpResponse['headers']): HttpResponse {
  const words = ['message', 'code', 'type', 'param'].map((key): [string, JsonValue | undefined] => [key, error[key]]);
  const told = Object.fromEntries(words.filter(([, value]) => typeof value === 'string'));
  const message = stringAt(error, 'message') ?? stringAt(error, 'detail') ?? '';
  const body = { error: { ...told, message } };
  return { status: statusOf(error), headers, body, text: JSON.stringify(body) };
}

/**
 * The failure that a provider told inside an answer whose status was good, judged by its adapter as if it had come with
 * the status it means, which is the failure's. Its certainty is the provider's own word: nothing between us said it.
 */
export function toldFailure(
  provider: Provider,
  error: JsonObject,
  answer: Pick<HttpResponse, 'status' | 'headers'>,
  now: number,
): Failure {
  const meant = asAnswer(error, answer.headers);
  const judged = failureOf(provider, meant, now) ?? nothingSaid();
  const words = presentable(stringAt(error, 'message') ?? stringAt(error, 'detail') ?? '');
  const name = presentable(stringAt(error, 'code') ?? stringAt(error, 'type') ?? '');
  const isWorded = provider.classify(meant) !== undefined;
  const message =
    isWorded && words !== '' ? judged.message : words || 'the provider told an error without a word of why';
  return {
    ...judged,
    message,
    status: meant.status,
    certainty: judged.certainty === 'ambiguous' ? FAILURES[judged.kind].certainty : judged.certainty,
    classifiedBy: `error inside a ${answer.status}, ${name === '' ? `as status ${meant.status}` : `code ${name}`}`,
  };
}

function nothingSaid(): Failure {
  return { kind: 'server', certainty: 'failed', message: '' };
}

/** A provider that ended well and said nothing, whole or as a stream: what it did for it nobody knows. */
export function saidNothing(message: string): Failure {
  return { kind: 'server', certainty: 'ambiguous', message, classifiedBy: 'answer without content' };
}

/**
 * The refusal of a prompt that a filter stopped, where the answer holds nothing else; undefined where none is told.
 * Azure: `prompt_filter_results: [{content_filter_results: {violence: {filtered: true, …}}}]`.
 * https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter-annotations
 */
export function filteredPrompt(values: readonly (JsonValue | undefined)[]): Failure | undefined {
  const listed = values.flatMap((value) => (isObject(value) ? listOf(value.prompt_filter_results) : []));
  const told = listed.flatMap((one) => {
    const results = isObject(one) && isObject(one.content_filter_results) ? one.content_filter_results : {};
    return Object.keys(results).filter((name) => isObject(results[name]) && results[name].filtered === true);
  });
  if (told.length === 0) return undefined;
  return {
    kind: 'policy',
    certainty: FAILURES.policy.certainty,
    message: `the provider's content filter stopped the prompt: ${presentable([...new Set(told)].join(', '))}`,
    classifiedBy: 'prompt_filter_results with filtered',
  };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** After the first content work was done and is billed, whatever the same words mean before it. */
export function brokenOffBy(failure: Failure): Failure {
  if (failure.certainty !== 'rejected' && failure.certainty !== 'not_sent') return failure;
  return { ...failure, certainty: failure.kind === 'policy' ? 'completed' : 'failed' };
}
