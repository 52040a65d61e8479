import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RequestProblem } from './problem.ts';

/** The one caller there is when no keys are configured. */
export const LOCAL_CALLER = 'local';

/** Names the caller of a request; throws a 401 that says what is wrong with its key, never what the key was. */
export type IdentifyCaller = (request: Pick<IncomingMessage, 'rawHeaders'>) => string;

/** `keys` come from `ONETAKE_API_KEYS`; with none of them anything, or nothing, is the caller `local`. */
export function createCallers(keys: readonly { readonly name: string; readonly key: string }[]): IdentifyCaller {
  const known = keys.map(({ name, key }) => ({ name, digest: digestOf(key) }));
  if (known.length === 0) return () => LOCAL_CALLER;
  return ({ rawHeaders }) => {
    const digest = digestOf(presentedKey(rawHeaders));
    let caller: string | undefined;
    // Every key is compared, so that the time taken does not tell which one came close.
    for (const one of known) if (timingSafeEqual(one.digest, digest)) caller ??= one.name;
    if (caller === undefined)
      throw refused('the key is not one of ONETAKE_API_KEYS; check for a typo or a revoked key');
    return caller;
  };
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The header lines as they came: Node drops a second `Authorization` before anybody sees it. */
function presentedKey(rawHeaders: readonly string[]): string {
  const keys = new Set<string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === 'authorization') keys.add(bearerKey(value));
    if (name === 'x-api-key' || name === 'api-key') keys.add(plainKey(value, name));
  }
  const [key] = keys;
  if (key === undefined) throw refused('there is no Authorization header; send "Authorization: Bearer <key>"');
  if (keys.size > 1) throw refused('the request carries two different keys; send one, in one header');
  return key;
}

function bearerKey(value: string): string {
  const [, scheme = '', gap = '', key = ''] = /^(\S*)(\s*)(.*)$/.exec(value) ?? [];
  if (scheme === '') throw refused('the Authorization header is empty; is the variable with the key set?');
  if (scheme.toLowerCase() !== 'bearer')
    throw refused('Authorization does not begin with "Bearer "; put it before the key');
  if (key === '') throw refused('nothing follows "Bearer"; is the variable with the key set?');
  if (gap !== ' ') throw refused('there is stray white space between "Bearer" and the key; leave one space');
  return plainKey(key, 'Authorization');
}

function plainKey(key: string, header: string): string {
  if (key === '') throw refused(`the ${header} header is empty; is the variable with the key set?`);
  if (/["'`“”]/.test(key)) throw refused(`the key in ${header} has quotes around or in it; remove them`);
  if (key.includes(',')) throw refused(`${header} holds two values; send one key`);
  if (/\s/.test(key)) throw refused(`the key in ${header} has a stray space or line break; remove it`);
  return key;
}

function refused(why: string): RequestProblem {
  return new RequestProblem(401, 'invalid_api_key', `API key: ${why}`, {
    headers: { 'www-authenticate': 'Bearer' },
  });
}
