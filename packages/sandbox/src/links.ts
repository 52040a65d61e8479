import { randomBytes } from 'node:crypto';
import type { PictureAct } from './faults/fault.ts';
import type { Cue } from './faults/script.ts';
import type { Files } from './files.ts';
import type { Picture } from './pictures.ts';
import { type Answer, jsonAnswer } from './wire/answer.ts';

/** How long a protocol's links to pictures are good, and what they answer afterwards. */
export interface LinkRule {
  /** From the moment at which the picture was done; absent, they do not expire. */
  readonly lifeMs?: number;
  readonly expiredStatus?: 403 | 404;
}

/** Whose picture a link leads to. */
export interface Linked {
  readonly cue: Cue;
  readonly act: PictureAct;
  /** When it was done; milliseconds since the epoch. */
  readonly at: number;
  /** Tells its downloads apart from those of others with the same bytes; random where absent. */
  readonly token?: string;
}

/** Where pictures are kept, and the address they are reached at. */
export interface LinkContext {
  readonly files: Files;
  readonly url: string;
}

/** Answers one download instead of the file, or leaves it to the file. */
export interface LinkGuard {
  check(query: URLSearchParams, now: number): Answer | undefined;
}

const TOKEN_BYTES = 8;
const MAX_COUNTED = 10_000;

/** Keeps a picture and links to it, with an expiry or failures in the link where rule or fault want them. */
export async function linkTo(
  { files, url }: LinkContext,
  { bytes, format }: Picture,
  { cue, act, at, token }: Linked,
  { lifeMs, expiredStatus = 403 }: LinkRule = {},
): Promise<string> {
  const link = new URL(`/files/${await files.keep(bytes, format)}`, url);
  const expiresAt = act.links === 'expired' ? at : lifeMs === undefined ? undefined : at + lifeMs;
  if (expiresAt !== undefined) {
    link.searchParams.set('expires', String(Math.floor(expiresAt)));
    link.searchParams.set('then', String(expiredStatus));
  }
  if (act.links === 'flaky') {
    link.searchParams.set('fails', String(cue.value ?? 1));
    link.searchParams.set('token', token ?? randomBytes(TOKEN_BYTES).toString('hex'));
  }
  return link.href;
}

/**
 * Plays what links say of themselves. A key beside one is not looked at: links are at the address of the API here, where
 * a client may send it, and Black Forest Labs' own sends it to the storage too.
 */
export function createLinkGuard(): LinkGuard {
  const downloads = new Map<string, number>();
  const count = (token: string): number => {
    const sofar = (downloads.get(token) ?? 0) + 1;
    downloads.delete(token);
    downloads.set(token, sofar);
    const oldest = downloads.keys().next().value;
    if (downloads.size > MAX_COUNTED && oldest !== undefined) downloads.delete(oldest);
    return sofar;
  };
  return {
    check(query, now) {
      const expires = query.get('expires');
      if (expires !== null && now >= Number(expires)) {
        return jsonAnswer(query.get('then') === '404' ? 404 : 403, {
          error: { code: 'link_expired', message: 'The link has expired.' },
        });
      }
      const fails = query.get('fails');
      if (fails === null || count(query.get('token') ?? '') > Number(fails)) return undefined;
      return jsonAnswer(503, { error: { code: 'download_failed', message: 'The storage is busy; try again.' } });
    },
  };
}
