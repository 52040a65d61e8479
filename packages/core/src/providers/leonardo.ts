/**
 * Leonardo.ai: `POST /generations` answers a job, `GET /generations/{id}` says how far it is. A reference picture is
 * uploaded first, with a form that is signed for a storage of its own and must not be sent the key. `DELETE` removes a
 * finished generation and stops none, so there is no cancellation; its webhook belongs to the key, not to a request.
 * Facts: docs.leonardo.ai and @leonardo-ai/sdk 4.21.3, read 2026-11. Unverified: the statuses of refused keys, the words
 * of a blocked prompt, and that a FAILED generation, which says no reason, is not billed.
 */
import type { HttpRequest, HttpResponse, Part } from '../http.ts';
import { type Asset, IMAGE_TYPES } from '../images/asset.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonObject, type JsonValue, numberAt, parseJson, stringAt } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/leonardo.json' with { type: 'json' };
import { filePart } from './form.ts';
import { classifyLeonardo } from './leonardo-errors.ts';
import { trustedUrl } from './links.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type {
  CallContext,
  Credential,
  FailureReading,
  Handle,
  ListedModel,
  Model,
  PaidRequest,
  Progress,
  Provider,
  ProviderImage,
} from './provider.ts';
import { sidesOf } from './sides.ts';
import { withoutId } from './undecided.ts';

/** How a model is called: its id there, what its page says to send with it, and where its references go. */
interface Wire {
  readonly modelId: string;
  readonly defaults?: JsonObject;
  readonly references?: 'contextImages';
}

const WIRES: ReadonlyMap<string, Wire> = new Map([
  ['phoenix-1.0', { modelId: 'de7d3faf-762f-48e0-b3b7-9d0ac3a3fcf3', defaults: { contrast: 3.5 } }],
  ['lucid-origin', { modelId: '7b592283-e8a7-4c5a-9ba6-d18c31f258b9', defaults: { contrast: 3.5, alchemy: false } }],
  ['lucid-realism', { modelId: '05ce0082-2d80-4a2d-8653-4d1c85e2418e', defaults: { contrast: 3.5, alchemy: false } }],
  ['flux-dev', { modelId: 'b2614463-296c-462a-9586-aafdb8f00e36', defaults: { contrast: 3.5 } }],
  ['flux-schnell', { modelId: '1dd50843-d653-4516-a8e3-f0238ee453ff', defaults: { contrast: 3.5 } }],
  ['flux-kontext-pro', { modelId: '28aeddf8-bd19-4803-80fc-79602d1a9989', references: 'contextImages' }],
  ['lightning-xl', { modelId: 'b24e16ff-06e3-43eb-8d33-4416c2d75876' }],
]);

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const leonardo: Provider = {
  id: 'leonardo',
  access: {
    baseUrl: 'https://cloud.leonardo.ai/api/rest/v1',
    keyVariables: ['LEONARDO_API_KEY', 'LEONARDO_API_TOKEN'],
    baseUrlVariables: ['LEONARDO_BASE_URL'],
  },
  models: readModelFile(file).models,
  model: leonardoModel,
  authorize,
  classify: classifyLeonardo,
  catalog: {
    build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/platformModels`, headers: HEADERS }),
    parse: readCatalog,
  },
  image: {
    submit: { build: (request, context) => nextRequest(request, context, []), parse: parseSubmit, paid: paidRequest },
    poll: { build: lookUp, parse: parsePoll },
  },
};

/** Models made by users, and those that Leonardo adds, are named by their id. */
function leonardoModel(id: string): Model | undefined {
  const listed = leonardo.models.find((model) => model.id === id);
  const custom = leonardo.models.find((model) => model.id === 'lightning-xl');
  return listed ?? (custom && UUID.test(id) ? { ...custom, id, fast: false } : undefined);
}

/** The only form ever sent goes to the storage that signed it; a key has no business there. */
function authorize(request: HttpRequest, credential: Credential): HttpRequest {
  return request.body?.kind === 'multipart' ? request : bearer(request, credential);
}

const HEADERS = { accept: 'application/json' };

function post(url: string, value: JsonObject): HttpRequest {
  return { method: 'POST', url, headers: HEADERS, body: { kind: 'json', value } };
}

/** Asks where to upload what is not uploaded yet, or generates with what is. */
function nextRequest(request: ImageRequest, context: CallContext, uploaded: readonly string[]): HttpRequest {
  const asset = request.images?.[uploaded.length];
  if (asset === undefined) return post(`${context.baseUrl}/generations`, fieldsOf(request, context, uploaded));
  return { ...post(`${context.baseUrl}/init-image`, { extension: IMAGE_TYPES[asset.type].extension }), free: true };
}

function paidRequest(request: ImageRequest, context: CallContext): PaidRequest {
  const standIns = (request.images ?? []).map((_, index) => `ID-OF-UPLOAD-${index + 1}`);
  return { request: nextRequest(request, context, standIns), standIns };
}

function fieldsOf(request: ImageRequest, { model }: CallContext, uploaded: readonly string[]): JsonObject {
  const { modelId, defaults, references } = WIRES.get(model) ?? { modelId: model };
  const [first] = uploaded;
  const fields: JsonObject = {
    ...defaults,
    ...request.extra,
    modelId,
    prompt: request.prompt,
    // Four where nothing is said.
    num_images: request.n,
    ...sidesOf(request.size),
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    ...(references === undefined && first !== undefined && { init_image_id: first }),
    ...(references && first !== undefined && { [references]: uploaded.map((id) => ({ type: 'UPLOADED', id })) }),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `state` says which pictures are uploaded, and of which one the form is being sent. */
function parseSubmit(response: HttpResponse, request: ImageRequest, context: CallContext, state?: JsonValue): Progress {
  const known = isObject(state) && Array.isArray(state.uploaded) ? state.uploaded : [];
  const uploaded = known.filter((id) => typeof id === 'string');
  const sending = stringAt(state, 'sending');
  if (sending !== undefined) {
    const all = [...uploaded, sending];
    return { kind: 'next', request: nextRequest(request, context, all), state: { uploaded: all } };
  }
  const asset = request.images?.[uploaded.length];
  return asset === undefined ? readSubmitted(response) : sendPicture(response, asset, context, uploaded);
}

const STORAGE_HOSTS = ['amazonaws.com', 'leonardo.ai'];

/** The form's fields come as JSON in a text; the storage wants them before the file. */
function sendPicture(
  { body }: HttpResponse,
  asset: Asset,
  context: CallContext,
  uploaded: readonly string[],
): Progress {
  const slot = isObject(body) ? body.uploadInitImage : undefined;
  const url = trustedUrl(stringAt(slot, 'url'), context, STORAGE_HOSTS);
  const id = stringAt(slot, 'id');
  const fields = formFields(slot);
  if (url === undefined || id === undefined || fields === undefined) {
    const message = 'the provider gave no place known to it to upload a picture to';
    return { kind: 'failed', failure: { kind: 'server', certainty: 'rejected', message } };
  }
  const parts = [...fields, filePart('file', asset, 'image')];
  const request: HttpRequest = { method: 'POST', url, headers: {}, body: { kind: 'multipart', parts }, free: true };
  return { kind: 'next', request, state: { uploaded, sending: id } };
}

function formFields(slot: JsonValue | undefined): Part[] | undefined {
  const given = isObject(slot) ? slot.fields : undefined;
  const fields = typeof given === 'string' ? parseJson(given) : given;
  if (!isObject(fields)) return undefined;
  return Object.entries(fields).flatMap(([name, value]) => (typeof value === 'string' ? [{ name, value }] : []));
}

function readSubmitted({ body }: HttpResponse): Progress {
  const job = isObject(body) ? body.sdGenerationJob : undefined;
  const generation = stringAt(job, 'generationId');
  if (generation) return { kind: 'waiting', handle: { generation }, stage: 'queued' };
  return withoutId('the provider', 'generation');
}

function lookUp(handle: Handle, { baseUrl }: CallContext): HttpRequest {
  const id = encodeURIComponent(stringAt(handle, 'generation') ?? '');
  return { method: 'GET', url: `${baseUrl}/generations/${id}`, headers: HEADERS };
}

/** A generation is not found at once after its submit, and an unknown one never; about four minutes of looks apart. */
const MAX_UNSEEN_LOOKS = 30;

function parsePoll({ body }: HttpResponse, handle: Handle): Progress {
  const found = isObject(body) ? body.generations_by_pk : undefined;
  if (!isObject(found)) return unseen(handle);
  const status = stringAt(found, 'status');
  const { unseen: _looks, ...seen } = handle;
  if (status === 'COMPLETE') return { kind: 'done', ...picturesOf(found) };
  if (status !== 'FAILED') return { kind: 'waiting', handle: seen, ...(status === 'PENDING' && { stage: 'running' }) };
  const message = 'the provider says that the generation failed, and gives no reason';
  return {
    kind: 'failed',
    failure: { kind: 'server', certainty: 'failed', message, classifiedBy: 'generation FAILED' },
  };
}

function unseen(handle: Handle): Progress {
  const looks = (numberAt(handle, 'unseen') ?? 0) + 1;
  if (looks < MAX_UNSEEN_LOOKS) return { kind: 'waiting', handle: { ...handle, unseen: looks } };
  const message = `the provider took the generation on and did not know it at ${MAX_UNSEEN_LOOKS} looks`;
  return { kind: 'failed', failure: { kind: 'not_found', certainty: 'ambiguous', message } };
}

function picturesOf(found: JsonObject): { images: readonly ProviderImage[]; missing?: readonly FailureReading[] } {
  const items: readonly JsonValue[] = Array.isArray(found.generated_images) ? found.generated_images : [];
  const seed = items.length === 1 ? numberAt(found, 'seed') : undefined;
  const images = items.flatMap((item): ProviderImage[] => {
    const url = stringAt(item, 'url');
    const source = url === undefined || url === '' ? undefined : imageSource(url);
    if (source === undefined) return [];
    return [{ source, ...(seed !== undefined && { seed }), ...(isFlagged(item) && { flagged: 'nsfw' }) }];
  });
  const withheld = items.filter((item) => isFlagged(item) && !stringAt(item, 'url')).map(() => WITHHELD);
  return { images, ...(withheld.length > 0 && { missing: withheld }) };
}

function isFlagged(item: JsonValue): boolean {
  return isObject(item) && item.nsfw === true;
}

const WITHHELD: FailureReading = {
  kind: 'policy',
  certainty: 'completed',
  stage: 'output',
  message: 'the provider made a picture, marked it nsfw, and withholds it',
  classifiedBy: 'nsfw without a url',
};

function readCatalog({ body }: HttpResponse): readonly ListedModel[] {
  const models: readonly JsonValue[] = isObject(body) && Array.isArray(body.custom_models) ? body.custom_models : [];
  return models.map((model) => stringAt(model, 'id')).flatMap((id) => (id === undefined ? [] : [{ id }]));
}
