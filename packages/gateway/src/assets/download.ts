import { type Asset, type AssetStore, createIntake, type Intake, type Io, TransportError } from '@onetake/core';
import { RequestProblem } from '../http/problem.ts';
import { acceptReference, REFERENCE_LIMITS, tooLarge } from './reference-image.ts';

export interface DownloadLimits {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly maxRedirects: number;
}

export const DOWNLOAD_LIMITS: DownloadLimits = {
  connectMs: 5_000,
  firstByteMs: 15_000,
  idleMs: 15_000,
  totalMs: 60_000,
  maxRedirects: 3,
};

export interface FetchOptions {
  /** The request field that holds the URL; errors name it. */
  readonly param: string;
  readonly assets: AssetStore;
  /** Default: OpenAI's limit for an image. */
  readonly maxBytes?: number;
  /** Ends the download, as when the caller went away. */
  readonly cancel?: AbortSignal;
}

/** Stores the picture behind an https, http or data URL; throws a `RequestProblem` that says why it cannot be had. */
export type FetchImage = (url: string, options: FetchOptions) => Promise<Asset>;

interface Fetching extends Required<Omit<FetchOptions, 'cancel'>> {
  readonly io: Io;
  readonly limits: DownloadLimits;
  readonly cancel: AbortSignal | undefined;
  readonly deadlineAt: number;
}

const MAX_URL_CHARS = 8_192;
const MAX_SHOWN_CHARS = 100;

/**
 * The one place where URLs from requests are fetched: public addresses only, each redirect checked again by the same
 * rules, the type judged by the bytes.
 */
export function createDownloader(options: { readonly io: Io; readonly limits?: Partial<DownloadLimits> }): FetchImage {
  const limits = { ...DOWNLOAD_LIMITS, ...options.limits };
  return async (url, { param, assets, maxBytes = REFERENCE_LIMITS.maxImageBytes, cancel }) => {
    const { io } = options;
    const fetching = { io, limits, param, assets, maxBytes, cancel, deadlineAt: io.now() + limits.totalMs };
    const intake = createIntake(assets, { maxBlobs: 1, maxBlobBytes: maxBytes });
    try {
      if (/^data:/i.test(url)) return await decodeDataUrl(url, fetching, intake);
      return await followRedirects(checkedUrl(url, undefined, param), fetching, intake);
    } catch (error) {
      await intake.discardAll();
      throw error;
    }
  };
}

async function decodeDataUrl(url: string, { param, maxBytes }: Fetching, intake: Intake): Promise<Asset> {
  const head = /^data:[^,]{0,200};base64,/i.exec(url)?.[0];
  if (head === undefined) throw refused(param, 'the data URL is not base64; write data:image/png;base64,…');
  if ((url.length - head.length) * 0.75 > maxBytes + 2) throw tooLarge(param, maxBytes);
  return acceptReference(await intake.take(url.slice(head.length)), param);
}

async function followRedirects(first: URL, fetching: Fetching, intake: Intake): Promise<Asset> {
  const { limits, param } = fetching;
  let url = first;
  for (let hops = 0; hops <= limits.maxRedirects; hops += 1) {
    const location = await fetchOnce(url, fetching, intake);
    if (location === undefined) return acceptReference(await intake.settle(0), param);
    url = checkedUrl(location, url, param);
  }
  throw refused(param, `more than ${limits.maxRedirects} redirects; give the address they lead to`);
}

/** Parses an address, or a redirect's relative to where it came from, and holds it to the rules. */
function checkedUrl(text: string, from: URL | undefined, param: string): URL {
  const url = text.length > MAX_URL_CHARS ? null : URL.parse(text, from?.href);
  // A long text here is most often a picture, and pictures are never echoed.
  const shown = text.length > MAX_SHOWN_CHARS ? `a text of ${text.length} characters` : `"${text}"`;
  if (url === null)
    throw refused(
      param,
      `${shown} is not a URL of at most ${MAX_URL_CHARS} characters; write https://… or data:image/png;base64,…`,
    );
  if (url.username !== '' || url.password !== '')
    throw refused(param, 'the URL holds a user name or password; leave them out');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refused(param, `${url.protocol} URLs are not fetched; give one with https:, http: or data:`);
  }
  if (from?.protocol === 'https:' && url.protocol === 'http:') {
    throw refused(param, 'it redirects from https to http; give an address that stays on https');
  }
  return url;
}

/** Sends one GET. A picture goes into the intake; returned is where a redirect leads, undefined for the end of the way. */
async function fetchOnce(url: URL, fetching: Fetching, intake: Intake): Promise<string | undefined> {
  const { io, limits, param, maxBytes } = fetching;
  const clocks = startClocks(fetching);
  let target: ReturnType<Intake['openBlob']> | undefined;
  let received = 0;
  let location: string | undefined;
  try {
    await io.send(
      { method: 'GET', url: url.href, headers: { accept: 'image/png, image/jpeg, image/webp' } },
      {
        onStarted: () => {},
        onHeaders(status, headers) {
          location = status >= 300 && status < 400 ? headers.location : undefined;
          if (location !== undefined) throw new RedirectFound();
          if (status !== 200)
            throw refused(param, `the address answered status ${status}; it must answer 200 with a picture`);
          clocks.onData();
          target = intake.openBlob();
        },
        onData(chunk) {
          clocks.onData();
          received += chunk.length;
          if (received > maxBytes) throw tooLarge(param, maxBytes);
          return target?.write(chunk);
        },
      },
      { signal: clocks.signal, connectTimeoutMs: limits.connectMs, reach: 'public', readAsset: noFiles },
    );
    target?.end();
  } catch (error) {
    if (error instanceof RedirectFound) return location;
    throw error instanceof TransportError ? refused(param, clocks.fired() ?? reasonOf(error, url), error) : error;
  } finally {
    clocks.stop();
  }
  return undefined;
}

/** Ends the exchange: nobody needs a redirect's body. */
class RedirectFound extends Error {}

/** Connecting is timed by `Io` itself; these are the first byte, the silence between two, and the whole. */
function startClocks({ io, limits, cancel, deadlineAt }: Fetching) {
  const abort = new AbortController();
  let fired: string | undefined;
  const after = (at: number, what: string) =>
    io.timer(at, () => {
      fired ??= what;
      abort.abort();
    });
  const stopTotal = after(deadlineAt, `the download took longer than ${limits.totalMs} ms`);
  const firstByteAt = io.now() + limits.connectMs + limits.firstByteMs;
  let stopSilence = after(firstByteAt, `no answer came within ${limits.firstByteMs} ms`);
  const onCancel = () => abort.abort();
  if (cancel?.aborted) abort.abort();
  cancel?.addEventListener('abort', onCancel, { once: true });
  return {
    signal: abort.signal,
    fired: () => fired,
    onData() {
      stopSilence();
      stopSilence = after(io.now() + limits.idleMs, `the download stood still for ${limits.idleMs} ms`);
    },
    stop() {
      stopTotal();
      stopSilence();
      cancel?.removeEventListener('abort', onCancel);
    },
  };
}

/** What a private address answered, or whether anything is there, is never told. */
function reasonOf(error: TransportError, url: URL): string {
  if (error.code === 'ADDRESS_DENIED') {
    return `"${url.hostname}" is not an address of the public internet, and no other is fetched; upload the file instead`;
  }
  if (error.code === 'CONNECT_TIMEOUT') return `"${url.hostname}" could not be connected to in time`;
  if (error.certificate) return `the certificate of "${url.hostname}" was refused`;
  const when = error.phase === 'unsent' ? 'could not be reached' : 'broke off the answer';
  return `"${url.hostname}" ${when} (${error.code})`;
}

function refused(param: string, why: string, cause?: unknown): RequestProblem {
  return new RequestProblem(400, 'invalid_image_url', `${param}: ${why}`, { param, cause });
}

function noFiles(): never {
  throw new Error('a GET sends no files');
}
