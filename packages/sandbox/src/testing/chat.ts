import { connect } from 'node:net';
import type { ChatEndpoint } from '../chat/call.ts';
import type { Sandbox } from '../server.ts';
import { at, type Imitated, imitate } from './sandbox.ts';

const KEY = { authorization: 'Bearer key' };
export const MESSAGES = [{ role: 'user', content: 'a red fox' }];

/** Fields that both chat completions and responses take for the same question. */
const QUESTION = { messages: MESSAGES, input: 'a red fox' };

/** Asks at the sandbox's own root, where the model is the fault. */
export function ask(sandbox: Sandbox, model: string, fields: object = {}, path: ChatEndpoint = 'chat/completions') {
  return imitate(sandbox, `/v1/${path}`, { body: { model, ...QUESTION, ...fields }, headers: KEY });
}

/** What came of a stream until its connection ended. */
export interface Streamed {
  readonly status: number;
  /** The data of its events, JSON or `[DONE]`; what is no JSON as text. */
  readonly events: readonly unknown[];
  /** The types of events, in order, each once in a row. */
  readonly types: readonly unknown[];
  /** What is said in words. */
  readonly text: string;
  readonly comments: number;
  /** All bytes of the body. */
  readonly raw: string;
  /** How the connection ended: `closed`, or the code of its error. */
  readonly ended: string;
}

/** Streams an answer and waits until the connection ends. */
export async function stream(
  sandbox: Sandbox,
  model: string,
  fields: object = {},
  path: ChatEndpoint = 'chat/completions',
): Promise<Streamed> {
  const response = await openStream(sandbox, model, fields, path);
  let raw = '';
  let ended = 'closed';
  try {
    for await (const chunk of response.body ?? []) raw += Buffer.from(chunk).toString('utf8');
  } catch (error) {
    ended = String(at(error, 'cause.code'));
  }
  return { status: response.status, raw, ended, ...readStream(raw) };
}

/** A stream whose head has come. */
export function openStream(
  sandbox: Sandbox,
  model: string,
  fields: object = {},
  path: ChatEndpoint = 'chat/completions',
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${sandbox.url}/v1/${path}`, {
    method: 'POST',
    headers: { ...KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ model, ...QUESTION, stream: true, ...fields }),
    ...(signal && { signal }),
  });
}

function readStream(raw: string): Pick<Streamed, 'events' | 'types' | 'text' | 'comments'> {
  const blocks = raw.split('\n\n').slice(0, -1);
  const events = blocks.flatMap((block) => {
    const [, data] = /^data: (.*)$/mu.exec(block) ?? [];
    return data === undefined ? [] : [parsed(data)];
  });
  const types = events.map((event) => at(event, 'type')).filter((type, index, all) => type !== all[index - 1]);
  const words = events.map(
    (event) => at(event, 'choices.0.delta.content') ?? (isTextDelta(event) ? at(event, 'delta') : ''),
  );
  const comments = blocks.filter((block) => block.startsWith(':')).length;
  return { events, types, text: words.join(''), comments };
}

function isTextDelta(event: unknown): boolean {
  return at(event, 'type') === 'response.output_text.delta';
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** The raw bytes of a whole answer until its connection ends, and how it ended. */
export async function rawAnswer(sandbox: Sandbox, model: string): Promise<{ text: string; ended: string }> {
  const body = JSON.stringify({ model, messages: MESSAGES });
  const socket = connect(sandbox.port, '127.0.0.1');
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}`;
  socket.write(`${head}\r\n\r\n${body}`);
  let text = '';
  let ended = 'closed';
  socket.on('data', (chunk) => {
    text += chunk.toString('utf8');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? 'error';
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return { text, ended };
}

/** The latest entry on the bill. */
export async function lastEntry(sandbox: Sandbox): Promise<Record<string, unknown>> {
  const { body } = await imitate(sandbox, '/ledger?detail=1');
  const entries = at(body, 'entries');
  return (Array.isArray(entries) ? entries.at(-1) : undefined) ?? {};
}

/** An answer's words. */
export function saidIn({ body }: Imitated): unknown {
  return at(body, 'choices.0.message.content') ?? at(body, 'output.0.content.0.text');
}
