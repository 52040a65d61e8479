import type { IncomingHttpHeaders } from 'node:http';

/** The key of `Authorization: <scheme> <key>`; the scheme's case does not matter. */
export function schemeKey(scheme: string): (headers: IncomingHttpHeaders) => string | undefined {
  const start = `${scheme.toLowerCase()} `;
  return ({ authorization = '' }) =>
    authorization.toLowerCase().startsWith(start) ? authorization.slice(start.length).trim() || undefined : undefined;
}

/** The key that is the whole of a header, named in lower case. */
export function headerKey(name: string): (headers: IncomingHttpHeaders) => string | undefined {
  return (headers) => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
}
