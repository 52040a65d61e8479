import type { ManagedKey } from '../keys/key.ts';
import type { SessionClaim, Sessions } from '../keys/session.ts';

export const SESSION_COOKIE = 'onetake_session';
/** What our page sends with every call: no page of another origin can, without asking first. */
export const PAGE_HEADER = 'x-onetake-page';
/** Paths and parents can leave several of one name; more than that is nobody's browser. */
const MAX_SESSION_COOKIES = 4;

/** The header that gives the page a session, or with 0 seconds takes it away; scripts cannot read it. */
export function sessionCookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const attributes = ['HttpOnly', 'SameSite=Strict', 'Path=/', `Max-Age=${maxAgeSeconds}`];
  return [`${SESSION_COOKIE}=${value}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** The values of one header, in the order they came; `wanted` in lower case. */
export type HeaderValues = (wanted: string) => readonly string[];

/**
 * The claims that a request of our own page makes by its cookies; none where it is not that page who asks. Browsers say
 * where a request comes from in `Sec-Fetch-Site` and `Origin`; what sends neither is no browser and asks for itself.
 */
export function sessionClaims(
  values: HeaderValues,
  sessions: Pick<Sessions, 'read'>,
  publicOrigin: string | undefined,
): readonly SessionClaim[] {
  if (!values(PAGE_HEADER).includes('1')) return [];
  if (values('sec-fetch-site').some((site) => site !== 'same-origin')) return [];
  const own = [publicOrigin, ...values('host').map((host) => `http://${host.toLowerCase()}`)];
  if (values('origin').some((origin) => !own.includes(origin))) return [];
  return cookieValues(values('cookie')).flatMap((value) => sessions.read(value) ?? []);
}

function cookieValues(headers: readonly string[]): readonly string[] {
  const prefix = `${SESSION_COOKIE}=`;
  return headers
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .slice(0, MAX_SESSION_COOKIES)
    .map((pair) => pair.slice(prefix.length));
}

/** Whether a key may be what a page is signed in with: it administers, and is for no page of somebody else. */
export function opensPage({ admin, browser }: Pick<ManagedKey, 'admin' | 'browser'>): boolean {
  return admin === true && browser === undefined;
}
