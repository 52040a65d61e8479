import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TINY_PNG_BASE64 } from '../../packages/core/src/testing/tiny-png.ts';

export interface EchoingProvider {
  readonly url: string;
  close(): void;
}

/**
 * A server with OpenAI's API that repeats the key it is shown wherever it can: in its headers, in its errors (as it
 * does the prompt), beside its pictures. The model says how it ends: `ok`, or a status such as `401`. Only what it says in a chat is plain: that is the
 * caller's, byte for byte, and nothing is looked for in it.
 */
export async function startEchoingProvider(): Promise<EchoingProvider> {
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  if (request.method === 'GET') return void response.writeHead(404).end();
  const { authorization = '' } = request.headers;
  const key = authorization.replace(/^Bearer /, '');
  const told = `${authorization} and ${key} and ${Buffer.from(key).toString('base64')}, which is ${key}.`;
  const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Asked;
  const status = Number(/\d{3}$/.exec(asked.model)?.[0] ?? 200);
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': `theirs-${key}`,
    'openai-organization': key,
    'openai-processing-ms': '1',
    'x-ratelimit-limit-requests': key,
    'x-ratelimit-reset-requests': `${Buffer.from(key).toString('base64')}`,
    'retry-after': status === 429 ? '1' : key,
    'set-cookie': `session=${key}`,
    authorization,
  });
  response.end(JSON.stringify(status === 200 ? good(request.url ?? '', told) : bad(told, status, promptOf(asked))));
}

interface Asked {
  readonly model: string;
  readonly prompt?: string;
  readonly messages?: readonly { readonly content: string }[];
}

function promptOf({ prompt, messages }: Asked): string {
  return prompt ?? messages?.at(-1)?.content ?? '';
}

function bad(told: string, status: number, prompt: string): object {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return {
    error: {
      message: `Incorrect API key provided: ${told} It was asked for ${prompt}.`,
      type,
      code: `code_${told.slice(0, 60)}`,
      param: told,
    },
  };
}

function good(path: string, told: string): object {
  if (path.endsWith('/chat/completions')) {
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const message = { role: 'assistant', content: 'a plain word' };
    return { id: 'c', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
  }
  return { created: 1, data: [{ b64_json: TINY_PNG_BASE64, revised_prompt: `with ${told}` }], seen: told };
}
