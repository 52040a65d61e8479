import { createHmac, timingSafeEqual } from 'node:crypto';
import { openSecret } from '../store/secret-cell.ts';
import type { Store } from '../store/store.ts';

/** Whose session it is, as its cookie says: `holder` still has to be found, with the key it had then. */
export interface SessionClaim {
  readonly holder: string;
  /** Whether the claim was signed for the key with this digest (SHA-256, hexadecimal). */
  isFor(digest: string): boolean;
}

/** Makes and reads the cookies that stand for an administrator's key in a page. */
export interface Sessions {
  /** The value of a cookie that says: who showed the key with this digest is `holder`, for twelve hours. */
  open(holder: string, digest: string): string;
  /** What a value claims; undefined for what is none, or is over. */
  read(value: string): SessionClaim | undefined;
}

/** How long a session lasts; the page asks for the key again after it. */
export const SESSION_MS = 12 * 3_600_000;
/** Names of callers have no other characters, and 43 of base64url are SHA-256. */
const VALUE = /^(\d{1,15})\.([A-Za-z0-9._-]{1,64})\.([A-Za-z0-9_-]{43})$/;

/**
 * A value is `expiry.holder.signature`, expiry in epoch ms, the signature HMAC-SHA-256 over both and the key's digest. The
 * digest is not in it, so that nobody who sees a cookie can try keys against it; it is known again by who the holder is.
 */
export function createSessions(secret: Uint8Array, now: () => number): Sessions {
  const signatureOf = (expiry: string, holder: string, digest: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([expiry, holder, digest]))
      .digest();
  return {
    open(holder, digest) {
      const expiry = String(Math.floor(now() + SESSION_MS));
      return `${expiry}.${holder}.${signatureOf(expiry, holder, digest).toString('base64url')}`;
    },
    read(value) {
      const [, expiry, holder, signature] = VALUE.exec(value) ?? [];
      if (expiry === undefined || holder === undefined || signature === undefined) return undefined;
      if (now() >= Number(expiry)) return undefined;
      const given = Buffer.from(signature, 'base64url');
      return { holder, isFor: (digest) => timingSafeEqual(given, signatureOf(expiry, holder, digest)) };
    },
  };
}

/** Sessions that every node of the store knows, also after a restart. */
export async function openSessions(cells: Pick<Store, 'readCell' | 'swapCell'>, now: () => number): Promise<Sessions> {
  return createSessions(await openSecret(cells, 'session-secret'), now);
}
