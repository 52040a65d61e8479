import { transportFailure } from '../classify.ts';
import { type Connection, credentialOf } from '../environment.ts';
import type { Failure } from '../failure.ts';
import type { HttpRequest } from '../http.ts';
import { TransportError } from '../io.ts';
import { messageOf } from '../message-of.ts';
import type { Asking } from './asking.ts';
import type { Engine } from './engine.ts';
import { errorAnswer } from './error-answer.ts';
import { createFlow } from './flow.ts';

const CONNECT_MS = 10_000;
/** Without a byte for this long, or a reader for it, the exchange is over. */
const SILENCE_MS = 600_000;

/**
 * One exchange with a provider as it is, with its key instead of the caller's and no second try: for what the engine
 * does not know, such as lists of models and files. It goes to the provider whose address the URL begins with, else to
 * the first. Rejects only with the reason of the caller's signal.
 */
export async function passOn(engine: Engine, asking: Asking): Promise<Response> {
  const { io, catalogue } = engine;
  const { signal } = asking;
  const connection = catalogue.connections.find((one) => pathAt(one, asking.url) !== undefined);
  const request = requestFor(connection ?? catalogue.connections[0], asking);
  if ('kind' in request) return errorAnswer(request, 'chat', io.now());
  const end = new AbortController();
  const flow = createFlow(() => end.abort());
  const { promise: answered, resolve: answer, reject } = Promise.withResolvers<Response>();
  let cancelTimer = () => {};
  const heard = () => {
    cancelTimer();
    cancelTimer = io.timer(io.now() + SILENCE_MS, () => end.abort(SILENT));
  };
  heard();
  io.send(
    request,
    {
      onStarted: () => {},
      onHeaders: (status, headers) => answer(responseOf(status, headers, flow.body)),
      onData: (chunk) => {
        heard();
        return flow.write(chunk);
      },
    },
    {
      signal: signal ? AbortSignal.any([signal, end.signal]) : end.signal,
      ...{ connectTimeoutMs: CONNECT_MS, reach: 'configured', readAsset: noAsset },
    },
  )
    .then(
      () => flow.end(),
      (error: unknown) => {
        if (signal?.aborted) reject(signal.reason);
        flow.fail(signal?.aborted ? signal.reason : error);
        // Without effect where the answer has begun.
        const failure = end.signal.reason === SILENT ? SILENT : lostExchange(error);
        answer(errorAnswer(failure, 'chat', io.now()));
      },
    )
    .finally(() => cancelTimer());
  return answered;
}

const SILENT: Failure = {
  kind: 'timeout',
  certainty: 'ambiguous',
  message: `nothing came from the provider, or was taken from here, for ${SILENCE_MS} ms`,
};

function lostExchange(error: unknown): Failure {
  if (error instanceof TransportError) return transportFailure(error, CONNECT_MS);
  return { kind: 'network', certainty: 'ambiguous', message: `the exchange broke off: ${messageOf(error)}` };
}

/** The path below a provider's address; undefined where the URL is another's. */
function pathAt({ baseUrl }: Connection, { origin, pathname }: URL): string | undefined {
  const base = new URL(baseUrl);
  const root = base.pathname.replace(/\/+$/, '');
  return origin === base.origin && pathname.startsWith(`${root}/`) ? pathname.slice(root.length) : undefined;
}

/** Names by which servers take a key from a query; `page_token` and the like page through lists. */
const SECRET_NAME =
  /^(?:(?:x[-_])?(?:api|subscription|auth)?[-_]?key|(?:access|auth|id)?[-_]?token|auth|authorization|(?:client[-_])?secret|password|sig|signature)$/i;

/** What the caller asks for, byte for byte, without a key of its own: whose address it was meant for nobody knows here. */
function queryOf({ search }: URL): string {
  const parts = search.slice(1).split('&');
  const kept = parts.filter((part) => ![...new URLSearchParams(part).keys()].some((name) => SECRET_NAME.test(name)));
  return kept.length === 0 || search === '' ? '' : `?${kept.join('&')}`;
}

const METHODS: readonly HttpRequest['method'][] = ['GET', 'POST', 'PUT', 'DELETE'];
/** What a caller's SDK may say to a provider; keys, cookies and what it tells of itself stay here. */
const PASSED: readonly string[] = ['accept', 'content-type', 'openai-beta', 'idempotency-key', 'range'];

/** To another provider's address only the path is taken, below the `/v1` that all of them have. */
function requestFor(
  connection: Connection | undefined,
  { method, url, headers, bytes }: Asking,
): HttpRequest | Failure {
  const known = METHODS.find((one) => one === method);
  if (connection === undefined) return notPassedOn('provider', 'the client has none; name one in `providers`');
  if (known === undefined) return notPassedOn('method', `${method} is not passed on; use ${METHODS.join(', ')}`);
  const path = pathAt(connection, url) ?? url.pathname.replace(/^\/v1(?=\/)/, '');
  const passed = PASSED.map((name) => [name, headers.get(name)] as const).filter(([, value]) => value !== null);
  const request: HttpRequest = {
    method: known,
    url: connection.baseUrl + path + queryOf(url),
    headers: Object.fromEntries(passed.map(([name, value]) => [name, value ?? ''])),
    ...(bytes.length > 0 && { body: { kind: 'bytes', bytes } }),
  };
  const { provider, id } = connection;
  const authorize = provider.chat?.authorize ?? provider.authorize;
  return authorize(request, credentialOf(connection, id));
}

function notPassedOn(param: string, why: string): Failure {
  return { kind: 'invalid', certainty: 'not_sent', message: `${param}: ${why}`, param, code: 'invalid_value' };
}

/** Of the connection to the provider, and of cookies that no SDK keeps. */
const UNTOLD: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'keep-alive', 'set-cookie', 'trailer', 'transfer-encoding', 'upgrade'],
]);
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function responseOf(status: number, headers: Readonly<Record<string, string>>, body: ReadableStream): Response {
  const told = Object.entries(headers).filter(([name]) => !UNTOLD.has(name));
  // The standard's Response takes no other; what lies beyond is no provider's word.
  const shown = status >= 200 && status <= 599 ? status : 502;
  return new Response(WITHOUT_BODY.has(shown) ? null : body, { status: shown, headers: Object.fromEntries(told) });
}

/** The bodies here refer to no stored picture. */
async function* noAsset(): AsyncGenerator<Uint8Array> {
  yield* [];
}
