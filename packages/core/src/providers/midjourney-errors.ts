import type { FailureKind } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import { isObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { FailureReading } from './provider.ts';

/** The codes inside a 200 that are no acceptance. What a code leaves open, its Chinese or English words decide. */
const CODES: ReadonlyMap<number, FailureKind> = new Map([
  [3, 'not_found'],
  [4, 'invalid'],
  [9, 'server'],
  [23, 'throttled'],
  [24, 'policy'],
  // A reseller's own, for a group of accounts that are all busy.
  [30, 'overloaded'],
]);

const ACCEPTED: readonly number[] = [1, 21, 22];

/**
 * Reads a submit's `{code, description}`, inside a 200 or, at resellers, beside an error status. A job has no code and is
 * read by `readJob`.
 */
export function classifyMidjourney(response: HttpResponse): FailureReading | undefined {
  const { status, body } = response;
  if (status === 502 || status === 504) return undefined;
  const code = numberAt(body, 'code');
  const isGood = status >= 200 && status < 300;
  if (code !== undefined && stringAt(body, 'status') === undefined && isRefusal(code, isGood, body)) {
    return codeFailure(code, body);
  }
  const error = isObject(body) ? body.error : undefined;
  const message = stringAt(error, 'message');
  if (message !== undefined && NO_BALANCE.test(message)) return { kind: 'billing', message };
  return undefined;
}

/** A code nobody knows is none where a job came with it, nor where it only repeats the status of an error. */
function isRefusal(code: number, isGood: boolean, body: JsonValue | undefined): boolean {
  if (CODES.has(code)) return true;
  return isGood && !ACCEPTED.includes(code) && jobIn(body) === undefined;
}

/** The id of the job that an answer came with. */
export function jobIn(body: JsonValue | undefined): string | undefined {
  return (stringAt(body, 'result') || undefined) ?? numberAt(body, 'result')?.toString();
}

const NO_ACCOUNT = /账号|实例|account|instance/i;
const NO_BALANCE = /quota|余额|额度|balance|insufficient/i;

/** What a code and its description mean; nothing was made for any of them. */
export function codeFailure(code: number, body: JsonValue | undefined): FailureReading {
  const properties = isObject(body) ? body.properties : undefined;
  const banned = stringAt(properties, 'bannedWord');
  const said = stringAt(body, 'description') ?? 'no description';
  return {
    ...meaningOf(code, said),
    message: `${MEANINGS.get(code) ?? 'the server refused the job'}: ${said}${banned === undefined ? '' : ` (${banned})`}`,
    code: String(code),
    classifiedBy: `code ${code}`,
  };
}

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [3, 'the server does not find what the job needs'],
  [4, 'the server refused the request'],
  [9, 'the server could not submit the job'],
  [23, 'the queue is full'],
  [24, 'the prompt is banned'],
]);

function meaningOf(code: number, said: string): Omit<FailureReading, 'message'> {
  const kind = CODES.get(code);
  // Not the queue's limit but the reseller's till.
  if (code !== 24 && code !== 23 && NO_BALANCE.test(said)) return { kind: 'billing' };
  if (kind === 'not_found') return { kind: NO_ACCOUNT.test(said) ? 'overloaded' : 'invalid' };
  if (kind === 'throttled') return { kind, throttle: 'concurrency' };
  if (kind === 'policy') return { kind, stage: 'input' };
  return { kind: kind ?? 'server' };
}

/** The titles of Midjourney's own messages, which the servers hand on as `[title] description`. */
const TITLES: readonly (readonly [RegExp, Omit<FailureReading, 'message'>])[] = [
  [/output filter|image filter/i, { kind: 'policy', stage: 'output', certainty: 'completed' }],
  [/banned prompt|image denied|ai moderator|community (?:standards|guidelines)/i, { kind: 'policy', stage: 'input' }],
  [/invalid link/i, { kind: 'image_url' }],
  [/invalid (?:parameter|prompt|form|request)|empty prompt/i, { kind: 'invalid' }],
  [/queue full|job queued|slow down/i, { kind: 'throttled', throttle: 'concurrency' }],
  [/credits exhausted|subscription|plan cancell?ed|out of hours/i, { kind: 'billing' }],
  [/^\[?(?:blocked|pending mod message)/i, { kind: 'permission' }],
  // The server stopped waiting; Midjourney may go on.
  [/任务超时|timed? ?out/i, { kind: 'timeout', certainty: 'ambiguous' }],
  [/取消任务/, { kind: 'canceled', certainty: 'ambiguous', cancel: 'confirmed' }],
];

/** Why a job ended without a picture; undefined for one that goes on, as do statuses nobody here knows. */
export function jobFailure(status: string, reason: string | undefined): FailureReading | undefined {
  const message = reason || `the server says that the job is ${status}`;
  if (status === 'CANCEL') return { kind: 'canceled', certainty: 'ambiguous', cancel: 'confirmed', message };
  if (status !== 'FAILURE') return undefined;
  const meaning = TITLES.find(([title]) => title.test(message))?.[1] ?? { kind: 'server', certainty: 'failed' };
  const [, title] = /^\[(.{1,80}?)\]/.exec(message) ?? [];
  return { ...meaning, message, classifiedBy: title === undefined ? 'job FAILURE' : `job FAILURE, ${title}` };
}

/** A server that does not know a job answers nothing: it forgets its jobs when it restarts, unless told to keep them. */
export function lostJob({ status, body, text }: HttpResponse): FailureReading | undefined {
  const isNothing = body === null || (body === undefined && text.trim() === '');
  if (!isNothing || status < 200 || status >= 300) return undefined;
  const message = 'the server took the job on and does not know it any more';
  return { kind: 'not_found', certainty: 'ambiguous', message, classifiedBy: `status ${status} without a job` };
}
