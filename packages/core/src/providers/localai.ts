/**
 * LocalAI: the shape of OpenAI's Images API with rules of its own. A size it cannot read becomes 512x512 without a word,
 * so sizes are checked here. A prompt is cut at `|`, and what follows is what to avoid: `negativePrompt` is sent that way,
 * and a `|` in a caller's text becomes `/`. One picture per call: with a seed it would draw the same one again, and one
 * failure would lose all. Pictures to edit go along as base64. A mask is not taken: the endpoint for it makes 512x512
 * whatever is asked for. The base URL may end in `/v1` or not.
 * Facts: core/http/endpoints/openai/image.go and core/http/app.go, snapshot of 2026-08-22.
 */
import { providerWords } from '../envelope.ts';
import { embedded, type HttpRequest, type HttpResponse } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import data from './data/localai.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer, parseImages } from './openai.ts';
import { openaiCatalog, openaiChat } from './openai-chat.ts';
import { isOutOfMemory } from './out-of-memory.ts';
import type { CallContext, FailureReading, Model, Provider } from './provider.ts';

const [FACTS] = readModelFile(data).models;

/** Which models it has is up to its owner. */
export const localai: Provider = {
  id: 'localai',
  access: {
    keyless: true,
    keyVariables: ['LOCALAI_API_KEY'],
    baseUrlVariables: ['LOCALAI_BASE_URL', 'LOCALAI_API_BASE'],
  },
  models: [],
  model: (id) => FACTS && ({ ...FACTS, id } satisfies Model),
  resubmit: 'safe',
  authorize: bearer,
  classify,
  results: { hosts: [] },
  catalog: openaiCatalog(),
  image: { submit: { build, parse: parseImages } },
  chat: openaiChat({ takesAny: true }),
};

/** Not a caller's to set: addresses that the server would fetch. */
const CLOSED: readonly string[] = ['file', 'files', 'ref_images', 'response_format'];

function build(request: ImageRequest, { model, baseUrl }: CallContext): HttpRequest {
  const extra = Object.entries(request.extra ?? {}).filter(([key]) => !CLOSED.includes(key));
  const known: JsonObject = {
    model,
    prompt: promptOf(request),
    n: request.n,
    response_format: 'b64_json',
    ...(request.size !== undefined && { size: request.size }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.operation === 'edit' && editFields(request)),
  };
  return {
    method: 'POST',
    url: `${baseUrl}/images/generations`,
    // Where markup is accepted, an unknown path is answered with its web page.
    headers: { accept: 'application/json' },
    body: { kind: 'json', value: { ...Object.fromEntries(extra), ...known } },
  };
}

function promptOf({ prompt, negativePrompt }: ImageRequest): string {
  const parts = negativePrompt === undefined ? [prompt] : [prompt, negativePrompt];
  return parts.map((part) => part.replaceAll('|', '/')).join('|');
}

function editFields({ images = [] }: ImageRequest): JsonObject {
  const [first, ...rest] = images.map((asset) => embedded(asset, 'base64'));
  return { ...(first && { file: first }), ...(rest.length > 0 && { ref_images: rest }) };
}

/** Its codes repeat the status as a number, so the words decide; with opaque errors there are none. */
function classify(response: HttpResponse): FailureReading | undefined {
  const { status } = response;
  const message = providerWords(response)?.message;
  if (status < 400 || message === undefined) return undefined;
  if (isOutOfMemory(message)) return { kind: 'out_of_memory', message };
  if (status === 500 && /invalid value for/i.test(message)) return { kind: 'invalid', message };
  return undefined;
}
