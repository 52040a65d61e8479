import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { HttpRequest } from '../http.ts';
import type { Receiver, SendOptions, WirePhase } from '../io.ts';
import { type Answer, openAnswer } from './answer.ts';
import { type Connection, closeConnection } from './connections.ts';
import { abortedError, transportError } from './fault.ts';
import { type JsonBody, jsonBody } from './json-body.ts';
import { multipart } from './multipart.ts';

/**
 * One request and its answer on one connection. undici runs `onRequestStart` before the first write of a request, so
 * a failure before it is provably unsent. When this rejects the connection is closed; when it resolves it may be used
 * again.
 */
export function roundTrip(
  connection: Connection,
  request: HttpRequest,
  receiver: Receiver,
  options: SendOptions,
): Promise<void> {
  const { signal, readAsset } = options;
  return new Promise((resolve, reject) => {
    let phase: WirePhase = 'unsent';
    let settled = false;
    let answer: Answer | undefined;

    const settle = (verdict: () => void) => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      verdict();
    };
    const failed = (error: unknown) =>
      settle(() => {
        answer?.stop();
        void closeConnection(connection);
        reject(error);
      });
    const onAbort = () => failed(abortedError(phase));
    /** Runs a receiver's callback; what it throws ends the exchange as it is. */
    const attempt = (callback: () => void) => {
      try {
        callback();
      } catch (error) {
        failed(error);
      }
    };

    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        if (settled) return controller.abort(abortedError(phase));
        phase = 'sent';
        attempt(() => receiver.onStarted());
      },
      onResponseStart(controller, status, headers) {
        if (settled || status < 200) return;
        phase = 'answering';
        attempt(() => {
          answer = openAnswer(controller, { status, headers }, receiver, { done: () => settle(resolve), failed });
        });
      },
      onResponseData: (_controller, chunk) => answer?.push(chunk),
      onResponseEnd: () => answer?.end(),
      onResponseError(_controller, error) {
        // A peer may close once it has written everything, while the last chunk is still held by a busy receiver.
        if (answer?.complete()) answer.end();
        else failed(transportError(phase, error));
      },
    };
    attempt(() => connection.client.dispatch(dispatchOptions(request, readAsset), handler));
  });
}

const DEFAULT_HEADERS = { 'user-agent': 'onetake' };

function dispatchOptions(request: HttpRequest, readAsset: SendOptions['readAsset']): Dispatcher.DispatchOptions {
  const { pathname, search } = new URL(request.url);
  const outgoing = { path: pathname + search, method: request.method };
  const headers = { ...DEFAULT_HEADERS, ...request.headers };
  const { body } = request;
  if (body === undefined) return { ...outgoing, headers };
  if (body.kind === 'json') {
    const content = jsonBody(body.value, readAsset);
    const described = { ...headers, 'content-type': 'application/json' };
    return {
      ...outgoing,
      ...(content instanceof Uint8Array ? { headers: described, body: content } : sized(described, content)),
    };
  }
  if (body.kind === 'bytes') {
    return { ...outgoing, headers: { 'content-type': 'application/json', ...headers }, body: body.bytes };
  }
  const form = multipart(body.parts, readAsset);
  return { ...outgoing, ...sized({ ...headers, 'content-type': form.contentType }, form) };
}

function sized(headers: Readonly<Record<string, string>>, { contentLength, chunks }: JsonBody) {
  const described = { ...headers, 'content-length': String(contentLength) };
  return { headers: described, body: Readable.from(chunks, { objectMode: false }) };
}
