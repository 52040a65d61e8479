import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** A stream of chat as its caller sees it while it comes. */
export interface OpenChat {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What came so far. */
  text(): string;
  /** Resolves at the end, `true` where it ended as it should. */
  readonly whole: Promise<boolean>;
  /** The caller goes away. */
  leave(): void;
}

export const HELLO = [{ role: 'user', content: 'say hello' }];

/** Asks for a stream and resolves with its head. */
export async function openChat(
  base: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/chat/completions',
): Promise<OpenChat> {
  const outgoing = request(`${base}${path}`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...headers },
  });
  outgoing.on('error', () => undefined);
  outgoing.end(JSON.stringify({ messages: HELLO, stream: true, ...body }));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  const whole = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.complete));
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => Buffer.concat(chunks).toString('utf8'),
    whole,
    leave: () => outgoing.destroy(),
  };
}

/** One event of a stream; each field is there only where the contract says so. */
export interface ChatEvent {
  readonly type?: string;
  readonly sequence_number?: number;
  readonly error?: { readonly code: string; readonly message: string };
  readonly onetake?: { readonly generation: string; readonly kind: string };
}

/** The events with their data, but for the last word that is none. */
export function eventsOf(text: string): readonly ChatEvent[] {
  const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, found = '']) => found);
  return data.filter((one) => one !== '[DONE]').map((one) => JSON.parse(one) as ChatEvent);
}

/** Names and times that two answers never have in common. */
export function withoutNames(text: string): string {
  return text
    .replaceAll(/"(id|item_id|call_id|system_fingerprint)":"[^"]*"/g, '"$1":""')
    .replaceAll(/"(created|created_at|completed_at)":\d+(\.\d+)?/g, '"$1":0');
}
