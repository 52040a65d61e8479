import type { FailureKind } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import { isObject, stringAt } from '../json.ts';
import type { FailureReading } from './provider.ts';

/**
 * Reads Leonardo's `{error, path, code}`. The code `unexpected` stands for a wrong key as well as for a wrong field, and
 * which status goes with which is written nowhere, so the words decide before the status.
 */
export function classifyLeonardo(response: HttpResponse): FailureReading | undefined {
  const { body, status } = response;
  const message = stringAt(body, 'error') ?? nested(body);
  if (message === undefined || message === '' || UNDECIDED.includes(status)) return undefined;
  const code = stringAt(body, 'code');
  const kind = kindOf(message, code, status);
  if (kind === undefined) return undefined;
  return {
    kind,
    message,
    ...(code !== undefined && { code, classifiedBy: `status ${status}, code ${code}` }),
    ...(kind === 'policy' && { stage: 'input' as const }),
    ...(kind === 'throttled' && CONCURRENCY.test(message) && { throttle: 'concurrency' as const }),
  };
}

/** A proxy's guess, whatever is wrapped around it. */
const UNDECIDED: readonly number[] = [408, 409, 502, 504];

function nested(body: HttpResponse['body']): string | undefined {
  return isObject(body) ? stringAt(body.error, 'message') : undefined;
}

const CONCURRENCY = /concurren|queue|pending|in progress/i;

/** In the order in which they are asked: a full queue names the prompt, too. */
const WORDS: readonly (readonly [RegExp, FailureKind])[] = [
  [/auth\w* hook|unauthori[sz]ed|invalid api key/i, 'authentication'],
  [/(?:not enough|insufficient|out of|no) (?:api )?(?:tokens|credits?|balance|funds)/i, 'billing'],
  [/rate limit|too many|concurren|queue (?:is )?full|queue limit|pending limit/i, 'throttled'],
  [/moderat|content polic|nsfw|inappropriate|blocked|prohibited|safety/i, 'policy'],
  [/model .{0,80}(?:not found|not exist)|invalid model/i, 'not_found'],
  [/^invalid\b|^expected\b|must be|not a valid|unsupported|missing required|unexpected value/i, 'invalid'],
];

function kindOf(message: string, code: string | undefined, status: number): FailureKind | undefined {
  if (code === 'access-denied' || code === 'invalid-jwt' || code === 'invalid-headers') return 'authentication';
  const worded = WORDS.find(([words]) => words.test(message))?.[1];
  if (worded !== undefined) return worded;
  if (code === 'validation-failed' || code === 'parse-failed' || code === 'bad-request') return 'invalid';
  return status >= 200 && status < 300 ? 'server' : undefined;
}
