import assert from 'node:assert/strict';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { APICallError, streamText } from 'ai';
import OpenAI from 'openai';

/** Where a program sends its requests: through the library, or straight to the provider. */
export interface Way {
  readonly fetch?: typeof globalThis.fetch;
  readonly baseURL?: string;
}

/** A program with an SDK of its own that reads a stream: its text, piece by piece. */
export interface Program {
  readonly name: string;
  stream(way: Way, model: string, prompt: string, signal?: AbortSignal): AsyncIterable<string>;
}

export const APP = { apiKey: 'unused', maxRetries: 0 } as const;

export const PROGRAMS: readonly Program[] = [
  {
    name: 'openai',
    async *stream(way, model, prompt, signal) {
      const openai = new OpenAI({ ...APP, ...way, logLevel: 'off' });
      const messages = [{ role: 'user' as const, content: prompt }];
      const events = await openai.chat.completions.create(
        { model, messages, stream: true },
        { signal: signal ?? null },
      );
      for await (const { choices } of events) yield choices[0]?.delta.content ?? '';
    },
  },
  {
    name: 'openai responses',
    async *stream(way, model, prompt, signal) {
      const openai = new OpenAI({ ...APP, ...way, logLevel: 'off' });
      const asked = { model, input: prompt, stream: true } as const;
      for await (const event of await openai.responses.create(asked, { signal: signal ?? null }))
        if (event.type === 'response.output_text.delta') yield event.delta;
    },
  },
  {
    name: 'ai',
    async *stream(way, model, prompt, signal) {
      const provider = createOpenAI({ apiKey: 'unused', ...way });
      const asked = { model: provider.chat(model), prompt, maxRetries: 0, onError: () => {} };
      const { stream } = streamText({ ...asked, ...(signal && { abortSignal: signal }) });
      for await (const part of stream) {
        if (part.type === 'text-delta') yield part.text;
        if (part.type === 'error') throw part.error;
        if (part.type === 'abort') throw new DOMException('aborted', 'AbortError');
      }
    },
  },
  {
    name: 'langchain',
    async *stream(way, model, prompt, signal) {
      const chat = new ChatOpenAI({ ...APP, model, configuration: way });
      for await (const chunk of await chat.stream(prompt, signal ? { signal } : {})) yield String(chunk.content);
    },
  },
];

export async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** The pieces until it breaks, and what it broke with. */
export async function broken(pieces: AsyncIterable<string>): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    for await (const piece of pieces) text += piece;
  } catch (error) {
    return { text, error };
  }
  assert.fail(`it did not break, but said: ${text}`);
}

/** Stops at the first word. */
export async function* stoppedBy(stop: AbortController, pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) {
    yield piece;
    if (piece !== '') stop.abort();
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}

export function statusOf(error: unknown): unknown {
  if (error instanceof OpenAI.APIError) return error.status;
  if (APICallError.isInstance(error)) return error.statusCode;
  return error instanceof Error && 'status' in error ? error.status : undefined;
}
