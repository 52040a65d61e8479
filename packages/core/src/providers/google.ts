/**
 * Gemini's image models over the Gemini Developer API: one synchronous `generateContent` per picture, which comes as
 * base64 among texts and thoughts. Every block is a 200. There is no job, no seed, no mask and no size in pixels.
 * Facts: @google/genai 2.32 and 3.1, ai.google.dev of 2026-11. Unverified: what a blocked picture costs, so it counts as
 * done, and how quota violations are spelled, so several spellings are read.
 */
import { embedded, type HttpRequest } from '../http.ts';
import { IMAGE_TYPES } from '../images/asset.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/google.json' with { type: 'json' };
import { classifyGoogle } from './google-errors.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import { CHAT_AND_EMBEDDINGS, openaiChat } from './openai-chat.ts';
import type { CallContext, FailureReading, ListedModel, Progress, Provider, ProviderImage } from './provider.ts';

const MODELS = readModelFile(file).models;
const JSON_ACCEPTED = { accept: 'application/json' };

export const google: Provider = {
  id: 'google',
  access: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    baseUrlVariables: ['GOOGLE_GEMINI_BASE_URL'],
  },
  models: MODELS,
  model: (id) => MODELS.find((model) => model.id === id),
  // Quotas are counted for each model: one that has used up its day says nothing of the next.
  credentialPerModel: true,
  authorize: (request, { secret }) => ({ ...request, headers: { ...request.headers, 'x-goog-api-key': secret } }),
  classify: classifyGoogle,
  requestId: ({ headers, body }) => stringAt(body, 'responseId') ?? headers['x-goog-request-id'],
  image: { submit: { build: contentRequest, parse: ({ body }) => readContent(body) } },
  catalog: {
    build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/models?pageSize=1000`, headers: JSON_ACCEPTED }),
    parse: ({ body }) => listedModels(body),
  },
  chat: openaiChat({
    endpoints: CHAT_AND_EMBEDDINGS,
    root: (baseUrl) => `${baseUrl}/openai`,
    owns: /^(?:models\/)?(?:gemini-(?!.*(?:image|banana|live|tts))|gemma-|text-embedding-00|gemini-embedding)/,
    // Only its own paths take the key in a header of its own.
    authorize: bearer,
  }),
};

function contentRequest(request: ImageRequest, { baseUrl, model }: CallContext): HttpRequest {
  const { generationConfig, generation_config: _spelled, ...extra } = request.extra ?? {};
  const pictures = (request.images ?? []).map((asset) => ({
    inlineData: { mimeType: IMAGE_TYPES[asset.type].mime, data: embedded(asset, 'base64') },
  }));
  const image: JsonObject = {
    ...(request.aspectRatio !== undefined && { aspectRatio: request.aspectRatio }),
    ...(request.resolution !== undefined && { imageSize: request.resolution }),
  };
  const value: JsonObject = {
    ...extra,
    contents: [{ role: 'user', parts: [...pictures, { text: request.prompt }] }],
    generationConfig: {
      ...(isObject(generationConfig) && oneCandidate(generationConfig)),
      responseModalities: ['IMAGE'],
      ...(Object.keys(image).length > 0 && { imageConfig: image }),
    },
  };
  const url = `${baseUrl}/models/${encodeURIComponent(model)}:generateContent`;
  return { method: 'POST', url, headers: JSON_ACCEPTED, body: { kind: 'json', value } };
}

/** Each would be a picture, and paid for. */
function oneCandidate({ candidateCount: _count, candidate_count: _spelled, ...config }: JsonObject): JsonObject {
  return config;
}

const BLOCKED: ReadonlySet<string> = new Set([
  ...['SAFETY', 'PROHIBITED_CONTENT', 'BLOCKLIST', 'SPII', 'RECITATION', 'MODEL_ARMOR', 'JAILBREAK'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'],
]);
/** It tried, and no picture came of it; another try may bring one. */
const FAILED: ReadonlySet<string> = new Set([
  ...['NO_IMAGE', 'IMAGE_OTHER', 'OTHER', 'MALFORMED_RESPONSE', 'MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL'],
]);
const MAX_PARTS = 256;

function readContent(body: JsonValue | undefined): Progress {
  const answer = isObject(body) ? body : {};
  const candidates: readonly JsonValue[] = Array.isArray(answer.candidates) ? answer.candidates : [];
  const images = candidates.flatMap(imagesOf);
  const usage = usageOf(answer.usageMetadata);
  if (images.length > 0) return { kind: 'done', images, ...(usage && { usage }) };
  return { kind: 'failed', failure: blockedPrompt(answer) ?? withoutPicture(candidates) };
}

function partsOf(candidate: JsonValue | undefined): readonly JsonObject[] {
  const content = isObject(candidate) && isObject(candidate.content) ? candidate.content : {};
  const parts: readonly JsonValue[] = Array.isArray(content.parts) ? content.parts : [];
  // What a model draws while it thinks is no answer.
  return parts
    .slice(0, MAX_PARTS)
    .filter(isObject)
    .filter((part) => part.thought !== true);
}

function imagesOf(candidate: JsonValue): readonly ProviderImage[] {
  return partsOf(candidate).flatMap(({ inlineData }) => {
    const isPicture = (stringAt(inlineData, 'mimeType') ?? 'image/').startsWith('image/');
    const source = isObject(inlineData) && isPicture ? imageSource(inlineData.data) : undefined;
    return source === undefined ? [] : [{ source }];
  });
}

function blockedPrompt({ promptFeedback }: JsonObject): FailureReading | undefined {
  const code = stringAt(promptFeedback, 'blockReason');
  if (code === undefined || code === 'BLOCKED_REASON_UNSPECIFIED') return undefined;
  const said = stringAt(promptFeedback, 'blockReasonMessage') ?? 'Google blocked the prompt';
  const classifiedBy = `promptFeedback.blockReason ${code}`;
  return { kind: 'policy', stage: 'input', certainty: 'rejected', code, message: `${said} (${code})`, classifiedBy };
}

/** Text in a picture's place is a soft refusal or a question; it is shown, because it says what to change. */
function withoutPicture(candidates: readonly JsonValue[]): FailureReading {
  const [first] = candidates;
  const code = stringAt(first, 'finishReason') ?? 'no finishReason';
  const spoken = partsOf(first).map((part) => stringAt(part, 'text') ?? '');
  const said = stringAt(first, 'finishMessage') ?? spoken.join(' ').trim();
  const words = said === '' ? `(${code})` : `(${code}): ${said}`;
  const told = { code, classifiedBy: `finishReason ${code}` };
  if (BLOCKED.has(code))
    return {
      kind: 'policy',
      stage: 'output',
      certainty: 'completed',
      ...told,
      message: `Google blocked the picture ${words}`,
    };
  if (FAILED.has(code))
    return { kind: 'server', certainty: 'failed', ...told, message: `Google made no picture ${words}` };
  return { kind: 'empty', ...told, message: `Google answered without a picture ${words}` };
}

/** In OpenAI's words; what was thought is billed as output. */
function usageOf(metadata: JsonValue | undefined): JsonObject | undefined {
  const input = numberAt(metadata, 'promptTokenCount');
  if (input === undefined) return undefined;
  const output = (numberAt(metadata, 'candidatesTokenCount') ?? 0) + (numberAt(metadata, 'thoughtsTokenCount') ?? 0);
  const details = isObject(metadata) && Array.isArray(metadata.promptTokensDetails) ? metadata.promptTokensDetails : [];
  const pictures: JsonValue | undefined = details.find((one: JsonValue) => stringAt(one, 'modality') === 'IMAGE');
  const image = numberAt(pictures, 'tokenCount') ?? 0;
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: numberAt(metadata, 'totalTokenCount') ?? input + output,
    input_tokens_details: { text_tokens: Math.max(0, input - image), image_tokens: image },
  };
}

const MAX_LISTED = 1_000;

/** The models that make pictures, by their names: the list does not say what a model's answers hold. */
function listedModels(body: JsonValue | undefined): readonly ListedModel[] {
  const models: readonly JsonValue[] = isObject(body) && Array.isArray(body.models) ? body.models : [];
  return models.slice(0, MAX_LISTED).flatMap((model) => {
    const id = stringAt(model, 'name')?.replace(/^models\//, '');
    return id !== undefined && /^gemini-.*(?:image|banana)/.test(id) ? [{ id }] : [];
  });
}
