/**
 * Ollama: chat, responses and embeddings on OpenAI's paths; its own ones tell errors as `{error: "text"}`, which may come
 * through. What it runs in its cloud for who signed in there is an account's and not a request's bill.
 * Facts: ollama server/routes.go, openai/openai.go and docs/api/errors.mdx, snapshot of 2026-08-21; docs.ollama.com, read
 * 2026-11.
 */
import { providerWords } from '../envelope.ts';
import type { HttpResponse } from '../http.ts';
import { localChat } from './local-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import { isOutOfMemory } from './out-of-memory.ts';
import type { FailureReading, Provider } from './provider.ts';

const PORT = 11434;

export const ollama: Provider = {
  ...localChat('ollama', {
    baseUrl: `http://127.0.0.1:${PORT}/v1`,
    keyVariables: ['OLLAMA_API_KEY'],
    baseUrlVariables: ['OLLAMA_BASE_URL', 'OLLAMA_HOST'],
    readAddress,
  }),
  classify,
};

/**
 * `OLLAMA_HOST` is also what the server listens on: `0.0.0.0`, `:11434` and `gpu` are all it needs. With a scheme it is a
 * whole address, whose port is the scheme's where none is told (ollama envconfig/config.go).
 */
function readAddress(told: string): string {
  const [, scheme, rest = ''] = /^(https?:\/\/)?(.*)$/i.exec(told.trim()) ?? [];
  const [, host = '', port, path = ''] = /^(\[[^\]]*\]|[^:/]*)(?::(\d*))?(\/.*)?$/.exec(rest) ?? [undefined, rest];
  const near = host === '' || host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host;
  const usual = scheme === undefined ? `:${PORT}` : '';
  return `${scheme ?? 'http://'}${near}${port ? `:${port}` : usual}${path}`;
}

const SERVER_BUSY = /server busy|maximum pending requests/i;
const NO_MEMORY = /requires more system memory/i;

function classify(response: HttpResponse): FailureReading | undefined {
  const message = providerWords(response)?.message;
  if (message !== undefined && SERVER_BUSY.test(message)) return { kind: 'overloaded', certainty: 'rejected', message };
  if (message !== undefined && (NO_MEMORY.test(message) || isOutOfMemory(message)))
    return { kind: 'out_of_memory', message };
  return classifyOpenai(response);
}
