import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateImage, NoImageGeneratedError, RetryError } from 'ai';
import OpenAI from 'openai';

/** What a program that knows nothing of Onetake asks for; only the address differs. */
export interface StockRequest {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly prompt: string;
  readonly size: `${number}x${number}`;
  readonly headers: Readonly<Record<string, string>>;
  /** The client's own patience: per try in `openai`, for all tries together in `ai`. Absent: the client's default. */
  readonly timeoutMs?: number;
}

export interface StockClient {
  readonly name: 'openai' | 'ai';
  /** What the caller got, in a few words: `picture`, or what its error said. */
  generate(request: StockRequest): Promise<string>;
}

/** The official `openai` package, its default retries untouched. */
const openaiClient: StockClient = {
  name: 'openai',
  async generate({ baseUrl, model, prompt, size, headers, timeoutMs }) {
    const client = new OpenAI({
      baseURL: baseUrl,
      apiKey: 'any',
      logLevel: 'off',
      defaultHeaders: headers,
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    });
    try {
      const { data = [] } = await client.images.generate({ model, prompt, size: size as 'auto' });
      const base64 = data[0]?.b64_json;
      if (base64 === undefined) return '200 without a picture';
      return base64 === '' ? '200 with zero bytes' : 'picture';
    } catch (error) {
      if (error instanceof OpenAI.APIConnectionTimeoutError) return 'timeout';
      if (error instanceof OpenAI.APIConnectionError) return 'connection error';
      if (error instanceof OpenAI.APIError) return told(error.status, error.code);
      return error instanceof Error ? error.name : String(error);
    }
  },
};

/** Vercel's `generateImage`, its default retries untouched. */
const aiClient: StockClient = {
  name: 'ai',
  async generate({ baseUrl, model, prompt, size, headers, timeoutMs }) {
    const provider = createOpenAI({ baseURL: baseUrl, apiKey: 'any', headers });
    try {
      const { image } = await generateImage({
        model: provider.image(model),
        prompt,
        size,
        ...(timeoutMs !== undefined && { abortSignal: AbortSignal.timeout(timeoutMs) }),
      });
      return image.uint8Array.length === 0 ? '200 with zero bytes' : 'picture';
    } catch (error) {
      return wordsOf(RetryError.isInstance(error) ? error.lastError : error);
    }
  },
};

function wordsOf(error: unknown): string {
  if (NoImageGeneratedError.isInstance(error)) return '200 without a picture';
  if (APICallError.isInstance(error)) {
    if (error.statusCode === undefined) return 'connection error';
    return error.statusCode === 200 ? 'unreadable 200' : told(error.statusCode, codeIn(error.responseBody));
  }
  if (!(error instanceof Error)) return String(error);
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? 'timeout' : error.name;
}

function told(status: number | undefined, code: string | null | undefined): string {
  return `${status ?? ''} ${code ?? ''}`.trim();
}

function codeIn(text: string | undefined): string | undefined {
  try {
    return JSON.parse(text ?? '').error.code ?? undefined;
  } catch {
    return undefined;
  }
}

export const STOCK_CLIENTS: readonly StockClient[] = [openaiClient, aiClient];
