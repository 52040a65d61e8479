import { useSyncExternalStore } from 'react';

/** Where the page is: `#/generations/gen_1?text=fox` is page `generations`, rest `gen_1`. */
export interface Place {
  readonly page: string;
  readonly rest: string;
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', ...rest] = path.split('/');
  return { page, rest: rest.map(decoded).join('/'), query: new URLSearchParams(query) };
}

/** An address that somebody cut off in the middle of an escape is no reason to show nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a page, for links. */
export function href(
  page: string,
  rest?: string,
  query: Readonly<Record<string, string | undefined>> = {},
): `#/${string}` {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') parameters.set(name, value);
  const text = parameters.toString();
  const path = rest === undefined ? page : `${page}/${encodeURIComponent(rest)}`;
  return `#/${path}${text === '' ? '' : `?${text}`}`;
}

/** Goes there; `replace` leaves no step back, for what changes while one types. */
export function go(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (!replace) {
    location.hash = to;
    return;
  }
  history.replaceState(null, '', to);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

function subscribe(callback: () => void): () => void {
  window.addEventListener('hashchange', callback);
  return () => window.removeEventListener('hashchange', callback);
}

/** Where the page is now. */
export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return placeOf(hash);
}
