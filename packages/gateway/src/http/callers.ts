import type { IncomingMessage } from 'node:http';
import { type AdminKey, digestOf, KEY_CHARACTERS, KEY_PREFIX } from '../keys/admin-key.ts';
import type { Keys, ManagedKey } from '../keys/key.ts';
import type { Sessions } from '../keys/session.ts';
import { opensPage, PAGE_HEADER, sessionClaims } from './page-session.ts';
import { RequestProblem } from './problem.ts';

/** The one caller there is while no keys are in use. */
export const LOCAL_CALLER = 'local';
/** Who administers with ONETAKE_ADMIN_KEY or `<data>/admin.key`. */
export const ADMIN_CALLER = 'admin';

/** Who calls, and what holds for it. */
export interface Identity {
  readonly caller: string;
  readonly isAdmin: boolean;
  /** Of a caller whose key was made here. */
  readonly key?: ManagedKey;
}

/** Names the caller of a request; throws a 401 that says what is wrong with its key, never what the key was. */
export type IdentifyCaller = (request: Pick<IncomingMessage, 'rawHeaders'>) => Identity;

export interface CallersOptions {
  /** Of ONETAKE_API_KEYS. */
  readonly callers: readonly { readonly name: string; readonly key: string }[];
  readonly adminKey?: AdminKey;
  readonly keys?: Pick<Keys, 'find' | 'named' | 'areInUse'>;
  /** Of people who showed a key to our own page. */
  readonly sessions?: Pick<Sessions, 'read'>;
  readonly publicUrl?: string;
  readonly now?: () => number;
}

/** Where callers show a key, in lower case. */
export const KEY_HEADERS: readonly string[] = ['authorization', 'x-api-key', 'api-key'];

const NOT_SIGNED_IN = 'this page is signed in for nobody, or its session ended; sign in with an administrator’s key';
const LOCAL: Identity = { caller: LOCAL_CALLER, isAdmin: true };
const NO_KEYS = { find: () => undefined, named: () => undefined, areInUse: () => false };
const NO_SESSIONS: Pick<Sessions, 'read'> = { read: () => undefined };

/**
 * While no key is in use anything, or nothing, is the caller `local`, but never a key that was made here. Keys are found
 * by their SHA-256: how long a look into the map takes tells of the digest, which nobody can steer, and not of the key.
 */
export function createCallers(options: CallersOptions): IdentifyCaller {
  const { callers, adminKey, keys = NO_KEYS, sessions = NO_SESSIONS, now = Date.now } = options;
  const publicOrigin = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).origin;
  const fixed = new Map<string, Identity>();
  for (const { name, key } of callers) fixed.set(digestOf(key), { caller: name, isAdmin: false });
  if (adminKey) fixed.set(adminKey.digest, { caller: ADMIN_CALLER, isAdmin: true });
  const areAlwaysInUse = callers.length > 0 || adminKey?.from === 'environment';

  /** Whom our own page is signed in for, as long as that key would still let them in. */
  function signedIn(rawHeaders: readonly string[]): Identity | undefined {
    for (const { holder, isFor } of sessionClaims((name) => valuesOf(rawHeaders, name), sessions, publicOrigin)) {
      if (holder === ADMIN_CALLER) {
        if (adminKey && isFor(adminKey.digest)) return { caller: ADMIN_CALLER, isAdmin: true };
        continue;
      }
      const key = keys.named(holder);
      if (key && isFor(key.digest) && opensPage(key) && whyOver(key, now()) === undefined)
        return { caller: key.name, isAdmin: true, key };
    }
    return undefined;
  }

  return ({ rawHeaders }) => {
    const areInUse = areAlwaysInUse || keys.areInUse();
    if (!areInUse && !showsOwnKey(rawHeaders)) return LOCAL;
    if (!showsKey(rawHeaders)) {
      const identity = signedIn(rawHeaders);
      if (identity) return identity;
      if (valuesOf(rawHeaders, PAGE_HEADER).length > 0) throw refused(NOT_SIGNED_IN);
    }
    const presented = presentedKey(rawHeaders);
    const digest = digestOf(presented);
    const known = fixed.get(digest);
    if (known) return known;
    const key = keys.find(digest);
    if (key === undefined) throw refused(strangeKey(presented, callers.length > 0));
    const over = whyOver(key, now());
    if (over !== undefined) throw refused(over);
    checkOrigin(key, rawHeaders);
    return { caller: key.name, isAdmin: key.admin === true, key };
  };
}

function strangeKey(presented: string, areConfigured: boolean): string {
  if (!presented.startsWith(KEY_PREFIX))
    return areConfigured
      ? 'the key is not one of ONETAKE_API_KEYS; check for a typo or a revoked key'
      : 'the key is not one of this gateway’s; its administrator makes one with "onetake keys create"';
  const missing = KEY_CHARACTERS - (presented.length - KEY_PREFIX.length);
  if (missing > 0) return `the key looks truncated: ${missing} characters are missing at its end; copy all of it`;
  if (missing < 0) return `the key has ${-missing} characters too many; copy nothing but the key`;
  return 'no key of this gateway is like it; check for a typo, or whether it belongs to another gateway';
}

/** Why a key that was made here is not to be used any more; undefined while it is. */
function whyOver({ name, revokedAt, expiresAt }: ManagedKey, now: number): string | undefined {
  const again = 'ask the administrator for a new one';
  if (revokedAt !== undefined) return `the key "${name}" was revoked at ${instant(revokedAt)}; ${again}`;
  if (expiresAt !== undefined && now >= expiresAt)
    return `the key "${name}" expired at ${instant(expiresAt)}; ${again}`;
  return undefined;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

/** A browser key that was taken out of its page is of no use to who sends no Origin; browsers let no page choose its own. */
function checkOrigin({ name, browser }: ManagedKey, rawHeaders: readonly string[]): void {
  if (browser === undefined) return;
  const { origins } = browser;
  const [origin] = valuesOf(rawHeaders, 'origin');
  if (origin !== undefined && origins.includes(origin)) return;
  const came =
    origin === undefined ? 'this request has no Origin header' : `this one comes from "${origin.slice(0, 200)}"`;
  const message = `Origin: the key "${name}" is for pages of ${origins.join(', ')} alone and ${came}; servers and other pages need a key of their own`;
  throw new RequestProblem(403, 'forbidden_origin', message, { param: 'Origin' });
}

/** What the lines of a header say; `wanted` in lower case. */
function valuesOf(rawHeaders: readonly string[], wanted: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted);
}

function showsKey(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((name, index) => index % 2 === 0 && isKeyHeader(name));
}

/** Somewhere in a header where keys stand, whatever is wrong with the rest of it. */
function showsOwnKey(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (value, index) => index % 2 === 1 && value.includes(KEY_PREFIX) && isKeyHeader(rawHeaders[index - 1] ?? ''),
  );
}

function isKeyHeader(name: string): boolean {
  return KEY_HEADERS.includes(name.toLowerCase());
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
