import type { Failure } from '../failure.ts';
import type { JsonObject } from '../json.ts';
import type { PolicySettings } from '../model-names.ts';
import { readControls } from './controls.ts';

/** What an SDK gave to `fetch`, read once. */
export interface Asking {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Empty where there is none. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** From the `x-onetake-*` headers. */
  readonly policy: PolicySettings;
  readonly signal: AbortSignal | undefined;
}

/** As large as the gateway takes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads what `fetch` was called with; fails for a body above 64 MiB and for a control that nobody knows. Throws as
 * `fetch` does: a `TypeError` for what is no request, the signal's reason where it is aborted.
 */
export async function readAsking(
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<{ readonly ok: true; readonly asking: Asking } | { readonly ok: false; readonly failure: Failure }> {
  // Its own, because a Request only follows it for as long as the Request itself is held.
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
  signal?.throwIfAborted();
  // `duplex` is what a body that is a stream wants.
  const request = new Request(input, { ...init, signal: null, duplex: 'half' } as RequestInit);
  const bytes = await unlessAborted(bodyOf(request), signal);
  signal?.throwIfAborted();
  if (bytes === undefined) return { ok: false, failure: TOO_LARGE };
  const controls = readControls(controlsIn(request.headers), headerOf);
  if (!controls.ok) return controls;
  const { method, headers } = request;
  const url = new URL(request.url);
  return { ok: true, asking: { method, url, headers, bytes, policy: controls.settings, signal } };
}

const TOO_LARGE: Failure = {
  kind: 'too_large',
  certainty: 'not_sent',
  message: `body: larger than the ${MAX_BODY_BYTES} bytes that a request may have here; send less`,
};

async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Undefined where it is larger than it may be. */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for await (const chunk of request.body ?? []) {
    received += chunk.length;
    if (received > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

const PREFIX = 'x-onetake-';

function headerOf(control: string): string {
  return `${PREFIX}${control.replaceAll('_', '-')}`;
}

function controlsIn(headers: Headers): JsonObject {
  const told = [...headers].filter(([name]) => name.startsWith(PREFIX));
  return Object.fromEntries(told.map(([name, value]) => [name.slice(PREFIX.length).replaceAll('-', '_'), value]));
}
