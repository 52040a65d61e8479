import { randomBytes } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { invalidField, readChoice, readList, readObject, readText, sidesOf } from './fields.ts';
import { headerKey } from './keys.ts';
import { referenceOf } from './orders.ts';
import { type Painted, paint } from './paint.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

type Values = Readonly<Record<string, unknown>>;

const MODELS = [
  ...['gemini-3.1-flash-image', 'gemini-3.1-flash-image-preview', 'gemini-3.1-flash-lite-image'],
  ...['gemini-3-pro-image', 'gemini-3-pro-image-preview', 'gemini-nano-banana-2.1', 'gemini-2.5-flash-image'],
];
const RATIOS = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9', '1:4', '4:1', '1:8', '8:1'];
const SIDES = { '512': 512, '1K': 1024, '2K': 2048, '4K': 4096 } as const;
const FIELDS: ReadonlySet<string> = new Set([
  ...['contents', 'generationConfig', 'safetySettings', 'tools', 'toolConfig', 'systemInstruction', 'cachedContent'],
  ...['model', 'fault'],
]);
const SETTINGS: ReadonlySet<string> = new Set([
  ...['responseModalities', 'imageConfig', 'temperature', 'topP', 'topK', 'seed', 'candidateCount', 'stopSequences'],
  ...['maxOutputTokens', 'thinkingConfig', 'mediaResolution', 'responseMimeType'],
]);
const TOKENS_PER_PICTURE = 1120;
const SIGNATURE_BYTES = 900;
const PATH = '/v1beta/models';
const TYPES = 'type.googleapis.com/google.rpc';

/**
 * The Gemini Developer API for pictures: base64 among text and thoughts; every block a 200 without a picture; a wrong
 * key a 400; limits as RESOURCE_EXHAUSTED, whose details tell a minute from a day.
 */
export const google: Protocol = {
  name: 'google',
  basePath: '/v1beta',
  routes: [
    { method: 'POST', path: `${PATH}/:model:generateContent`, bills: true, handle: generate },
    {
      method: 'GET',
      path: PATH,
      handle: () => jsonAnswer(200, { models: [...MODELS, 'gemini-3.5-flash'].map(listed) }),
    },
    { method: 'GET', path: `${PATH}/:model`, handle: ({ params }) => jsonAnswer(200, listed(needModel(params.model))) },
  ],
  key: (headers, query) => headerKey('x-goog-api-key')(headers) ?? query.get('key') ?? undefined,
  refuse,
};

function listed(id: string): object {
  return { name: `models/${id}`, displayName: id, supportedGenerationMethods: ['generateContent', 'countTokens'] };
}

function needModel(id = ''): string {
  if (MODELS.includes(id)) return id;
  const message = `models/${id} is not found for API version v1beta, or is not supported for generateContent.`;
  throw new RefusedError({ status: 404, message });
}

async function generate(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  const model = needModel(call.params.model);
  call.bill.model = model;
  const { values } = call.body;
  needKnown(values, FIELDS, '');
  const settings = readObject(values, 'generationConfig');
  needKnown(settings, SETTINGS, ' at generation_config');
  const image = readObject(settings, 'imageConfig');
  const ratio = readChoice(image, 'aspectRatio', RATIOS);
  const size = readChoice(image, 'imageSize', ['512', '1K', '2K', '4K'] as const) ?? '1K';
  const { prompt, references } = await readContents(values);
  const modalities = readList(settings, 'responseModalities');
  const order = { model, prompt, references, ...sidesOf(ratio ?? '1:1', SIDES[size] ** 2) };
  const isWanted = modalities.length === 0 || modalities.includes('IMAGE');
  const words = 'I can describe it, but I was not asked for a picture.';
  return paint(
    call,
    order,
    (painted) => jsonAnswer(200, isWanted ? contentOf(painted, model) : spoken(words, model)),
    () => jsonAnswer(200, { candidates: [{ ...BLOCKED, index: 0 }], ...trailer(model, 0) }),
  );
}

const BLOCKED = {
  finishReason: 'IMAGE_SAFETY',
  finishMessage: 'Unable to show the generated image, because it may violate the policies. Try rephrasing the prompt.',
};

function needKnown(values: Values, names: ReadonlySet<string>, at: string): void {
  const unknown = Object.keys(values).find((name) => !names.has(name));
  if (unknown === undefined) return;
  const message = `Invalid JSON payload received. Unknown name "${unknown}"${at}: Cannot find field.`;
  throw new RefusedError({ status: 400, reason: 'invalid', param: unknown, message });
}

async function readContents(values: Values): Promise<{ prompt: string; references: Buffer[] }> {
  const turns = readList(values, 'contents').map((turn) => readList({ ...asObject(turn) }, 'parts'));
  const parts = turns.flat().map(asObject);
  if (parts.length === 0) throw invalidField('contents', 'missing', 'contents is not specified');
  const references: Buffer[] = [];
  for (const { inlineData } of parts) {
    if (inlineData === undefined) continue;
    const { mimeType, data } = asObject(inlineData);
    if (typeof mimeType !== 'string') throw invalidField('inline_data.mime_type', 'missing', 'it is required');
    if (typeof data !== 'string' || /^(?:data:|https?:)/u.test(data))
      throw invalidField('inline_data.data', 'type', 'Base64 decoding failed');
    references.push(await referenceOf(data, 'inline_data.data'));
  }
  return { prompt: parts.map((part) => readText(part, 'text') ?? '').join(''), references };
}

function asObject(value: unknown): Values {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Before its picture a model says something and thinks of another picture, which is not the answer. */
function contentOf({ pictures, listAbsent }: Painted, model: string): object {
  const [picture] = pictures;
  if (!picture)
    return { candidates: [{ ...(!listAbsent && { content: {} }), finishReason: 'NO_IMAGE' }], ...trailer(model, 0) };
  const inlineData = { mimeType: picture.mime, data: picture.base64 };
  const parts = [
    { inlineData: { mimeType: 'image/png', data: THOUGHT }, thought: true },
    { text: 'Here is your picture.' },
    { inlineData, thoughtSignature: randomBytes(SIGNATURE_BYTES).toString('base64') },
  ];
  const candidate = { content: { role: 'model', parts }, finishReason: 'STOP', index: 0 };
  return { candidates: [candidate], ...trailer(model, pictures.length) };
}

/** A PNG of one pixel. */
const THOUGHT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';

function spoken(text: string, model: string): object {
  const candidate = { content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 };
  return { candidates: [candidate], ...trailer(model, 0) };
}

function trailer(modelVersion: string, pictures: number): object {
  const [promptTokenCount, candidatesTokenCount] = [9, pictures * TOKENS_PER_PICTURE];
  return {
    usageMetadata: {
      ...{ promptTokenCount, candidatesTokenCount, totalTokenCount: promptTokenCount + candidatesTokenCount },
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokenCount }],
    },
    modelVersion,
    responseId: randomBytes(12).toString('base64url'),
  };
}

const DAY = { quotaMetric: 'generativelanguage.googleapis.com/generate_requests_per_model_per_day', quotaValue: '100' };
const MINUTE = { quotaMetric: 'generativelanguage.googleapis.com/generate_requests_per_model', quotaValue: '10' };

function refuse({ reason, status, param, message, waitMs }: ProtocolRefusal, call: ProtocolCall): Answer {
  const say = (code: number, name: string, text: string, details: readonly object[] = []) =>
    jsonAnswer(code, { error: { code, message: text, status: name, ...(details.length > 0 && { details }) } });
  const retry = { '@type': `${TYPES}.RetryInfo`, retryDelay: `${(waitMs ?? 0) / 1000}s` };
  const failure = (violation: object) => ({ '@type': `${TYPES}.QuotaFailure`, violations: [violation] });
  const exceeded = 'You exceeded your current quota, please check your plan and billing details.';
  switch (reason) {
    case 'policy':
      return jsonAnswer(200, {
        promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
        ...trailer(call.params.model ?? '', 0),
      });
    case 'key': {
      const domain = { reason: 'API_KEY_INVALID', domain: 'googleapis.com' };
      const info = { '@type': `${TYPES}.ErrorInfo`, ...domain };
      if (call.key) return say(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [info]);
      return say(403, 'PERMISSION_DENIED', "Method doesn't allow unregistered callers. Please use API Key.");
    }
    case 'invalid':
    case 'too-large': {
      const violation = { '@type': `${TYPES}.BadRequest`, fieldViolations: [{ field: param, description: message }] };
      return say(400, 'INVALID_ARGUMENT', message, param === undefined ? [] : [violation]);
    }
    case 'billing':
      return say(400, 'FAILED_PRECONDITION', 'Please enable billing on your project in Google AI Studio.');
    case 'rate':
    case 'concurrency': {
      const quota = failure({ ...MINUTE, quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' });
      return say(429, 'RESOURCE_EXHAUSTED', exceeded, waitMs === undefined ? [quota] : [quota, retry]);
    }
    case 'quota':
      return say(429, 'RESOURCE_EXHAUSTED', exceeded, [
        failure({ ...DAY, quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }),
      ]);
    case 'permission':
      return say(403, 'PERMISSION_DENIED', 'The caller does not have permission');
    case 'not-found':
      return say(404, 'NOT_FOUND', message);
    case 'retired':
      return say(404, 'NOT_FOUND', 'This model is no longer available. Please update your code to use a newer model.');
    case 'overloaded':
      return say(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.');
    case 'server':
      return say(status, 'INTERNAL', 'An internal error has occurred.');
    case 'timeout':
      return say(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.');
    case 'conflict':
      return say(409, 'ABORTED', message);
    default:
      return say(status, 'UNKNOWN', message);
  }
}
