import type { HttpResponse } from '../http.ts';
import { isObject, type JsonValue, stringAt } from '../json.ts';
import { isOutOfMemory } from './out-of-memory.ts';
import type { FailureReading } from './provider.ts';

/**
 * Reads `{error, detail, body, errors}`, whose `error` is the name of a Python exception and whose `detail` is a text or
 * a list of faults in fields, and stable-diffusion.cpp's `{error, message}`. Bad input comes as 404 and 500 as well.
 */
export function classifyAutomatic1111(response: HttpResponse): FailureReading | undefined {
  const { status, body } = response;
  if (status < 400 || !isObject(body)) return undefined;
  const exception = stringAt(body, 'error') ?? '';
  const said = detailOf(body.detail) || (stringAt(body, 'errors') ?? '') || (stringAt(body, 'message') ?? '');
  const words = [exception === 'HTTPException' ? '' : exception, said].filter((one) => one !== '').join(': ');
  if (words === '') return undefined;
  const told = { message: words, classifiedBy: `status ${status}, ${exception || 'detail'}` };
  if (isOutOfMemory(words)) return { kind: 'out_of_memory', ...told };
  if (status === 404) return { ...told, ...missing(said) };
  const kind = KINDS.get(status);
  if (kind !== undefined) return { kind, ...told };
  if (status !== 500) return undefined;
  return { kind: BAD_INPUT.test(words) ? 'invalid' : 'server', ...told };
}

function missing(said: string): Pick<FailureReading, 'kind'> & Partial<FailureReading> {
  if (/^model|checkpoint/i.test(said)) return { kind: 'not_found' };
  if (said !== 'Not Found') return { kind: 'invalid' };
  return {
    kind: 'not_found',
    message: 'there is no API at this address; start the server with --api, and give its address without a path',
  };
}

/** What comes as a 500 and will come again. */
const BAD_INPUT =
  /invalid encoded image|invalid image (?:format|url)|cannot identify image|requests? (?:to local resource )?not allowed/i;

/** Those whose words the shared table would not find: in this envelope `error` holds the name of an exception. */
const KINDS: ReadonlyMap<number, FailureReading['kind']> = new Map([
  [400, 'invalid'],
  [401, 'authentication'],
  [403, 'permission'],
  [422, 'invalid'],
]);

/** A text, or FastAPI's list of `{loc, msg}`. */
function detailOf(detail: JsonValue | undefined): string {
  if (typeof detail === 'string') return detail;
  const faults: readonly JsonValue[] = Array.isArray(detail) ? detail : [];
  const texts = faults.flatMap((fault) => {
    const message = stringAt(fault, 'msg');
    if (message === undefined || !isObject(fault)) return [];
    const place = Array.isArray(fault.loc) ? fault.loc.filter((part: JsonValue) => part !== 'body').join('.') : '';
    return [place === '' ? message : `${place}: ${message}`];
  });
  return texts.join('; ');
}
