import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request of chat/completions as the server was sent it. */
export interface ChatAsked {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string | readonly ContentPart[] }[];
  readonly response_format?: { readonly type: string };
  readonly max_completion_tokens?: number;
}

export interface ContentPart {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
}

/** What it answers: an object is said as JSON, a string as it is, a number is a status, undefined keeps it silent. */
export type Line = object | string | number | undefined;

/** A chat model of a test: OpenAI's wire, one answer for each request. */
export interface ScriptedChat {
  /** With `/v1`. */
  readonly url: string;
  readonly asked: readonly ChatAsked[];
  close(): Promise<void>;
}

export const PROMPT_TOKENS = 1_000;
export const COMPLETION_TOKENS = 100;

export async function startScriptedChat(answer: (asked: ChatAsked) => Line | Promise<Line>): Promise<ScriptedChat> {
  const asked: ChatAsked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method !== 'POST') return void response.end('{"data":[]}');
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as ChatAsked;
    asked.push(body);
    const line = await answer(body);
    if (line === undefined) return;
    response.setHeader('content-type', 'application/json');
    if (typeof line === 'number') {
      response.statusCode = line;
      const type = line < 500 ? 'invalid_request_error' : 'server_error';
      return void response.end(JSON.stringify({ error: { message: 'no', type, code: null, param: null } }));
    }
    response.end(JSON.stringify(completion(body.model, typeof line === 'string' ? line : JSON.stringify(line))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function completion(model: string, content: string) {
  const message = { role: 'assistant', content, refusal: null };
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model },
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: PROMPT_TOKENS,
      completion_tokens: COMPLETION_TOKENS,
      total_tokens: PROMPT_TOKENS + COMPLETION_TOKENS,
    },
  };
}

/** The words of the user's message, and the JSON in it. */
export function dataIn({ messages }: ChatAsked): Record<string, unknown> {
  const content = messages.at(-1)?.content ?? '';
  const text = typeof content === 'string' ? content : (content.find(({ type }) => type === 'text')?.text ?? '{}');
  return JSON.parse(text) as Record<string, unknown>;
}

/** The pictures that were shown, decoded from their data URLs. */
export function picturesIn({ messages }: ChatAsked): readonly Buffer[] {
  const content = messages.at(-1)?.content ?? '';
  if (typeof content === 'string') return [];
  return content.flatMap(({ image_url: { url = '' } = {} }) => {
    const [head, base64 = ''] = url.split(',');
    return head === 'data:image/jpeg;base64' ? [Buffer.from(base64, 'base64')] : [];
  });
}
