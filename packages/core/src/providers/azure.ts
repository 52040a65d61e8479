/**
 * Azure OpenAI (Foundry): OpenAI's API at a resource's own address, where a model is the name of a deployment.
 * The base URL chooses the form: `https://{resource}.openai.azure.com` speaks v1; one with `/openai/deployments` or an
 * `api-version` in its query speaks the older form, with the deployment in the path.
 *
 * Five spellings of a content filter are read as one. A 403 `Forbidden` is none of them: the whole resource is blocked
 * for what was asked of it before, and no key or prompt mends that, so it is a `permission` failure; the next target is
 * tried and the breaker stays closed, because the refusal is free and ends when Azure says so.
 * Facts: openai 7.55 azure.mjs, @ai-sdk/azure 4.0.85, learn.microsoft.com. Unverified: which newer models can be
 * deployed, whether what is blocked at the output is billed, and the name of the header that holds the request's id.
 */
import { providerWords } from '../envelope.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import { imageSubmit, openai, openaiModel, readImageEvent, withoutSeed } from './openai.ts';
import { openaiChat } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, Credential, FailureReading, Model, Provider } from './provider.ts';

/** Where a base URL of the older form names none; the first that knows gpt-image models is older, this one edits too. */
const API_VERSION = '2025-04-01-preview';

const submit = imageSubmit(withoutSeed);

export const azure: Provider = {
  id: 'azure',
  access: { keyVariables: ['AZURE_OPENAI_API_KEY'], baseUrlVariables: ['AZURE_OPENAI_ENDPOINT'] },
  models: [],
  model: deploymentModel,
  authorize,
  classify: classifyAzure,
  requestId: ({ headers }) => headers['apim-request-id'] ?? headers['x-ms-request-id'] ?? headers['x-request-id'],
  image: {
    submit: {
      ...submit,
      build: (request, context): HttpRequest => ({
        ...submit.build(request, context),
        url: endpointUrl(context, `images/${request.operation === 'edit' ? 'edits' : 'generations'}`),
      }),
    },
    stream: readImageEvent,
  },
  chat: { ...openaiChat({ takesAny: true }), url: (endpoint, context) => endpointUrl(context, endpoint) },
};

const DEPLOYMENT = /^\w[\w.-]{0,127}$/;

/** A deployment has any name; one that holds a model's id is taken for that model, the longest id first. */
function deploymentModel(id: string): Model | undefined {
  if (!DEPLOYMENT.test(id)) return undefined;
  const named = openai.models
    .filter((model) => id.toLowerCase().includes(model.id))
    .sort((one, other) => other.id.length - one.id.length)[0];
  if (named === undefined) return openaiModel(id);
  // Azure's prices are its own.
  const { price: _price, ...known } = named;
  return { ...known, id };
}

/** An Entra token is a JWT; Azure refuses a request that carries both. */
function authorize(request: HttpRequest, { secret }: Credential): HttpRequest {
  if (secret === '') return request;
  const isToken = /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(secret);
  const header = isToken ? { authorization: `Bearer ${secret}` } : { 'api-key': secret };
  return { ...request, headers: { ...request.headers, ...header } };
}

function endpointUrl({ baseUrl, model }: Pick<CallContext, 'baseUrl' | 'model'>, endpoint: string): string {
  const url = new URL(baseUrl);
  const path = url.pathname.replace(/\/+$/, '');
  const version = url.searchParams.get('api-version');
  const isOlder =
    !path.endsWith('/openai/v1') && (path.split('/').includes('deployments') || (version ?? 'v1') !== 'v1');
  const root = isOlder ? deploymentPath(path, endpoint === 'responses' ? undefined : model) : versionOnePath(path);
  url.pathname = `${root}/${endpoint}`;
  url.searchParams.set('api-version', version ?? (isOlder ? API_VERSION : 'v1'));
  return url.href;
}

function versionOnePath(path: string): string {
  if (path.endsWith('/openai/v1')) return path;
  return path.endsWith('/openai') ? `${path}/v1` : `${path}/openai/v1`;
}

/** Without a deployment where the request names it, as responses do. */
function deploymentPath(path: string, model: string | undefined): string {
  const [, before = path] = /^(.*?)(?:\/openai(?:\/deployments(?:\/.*)?)?)?$/.exec(path) ?? [];
  return `${before}/openai${model === undefined ? '' : `/deployments/${encodeURIComponent(model)}`}`;
}

const FILTERED: readonly string[] = ['contentfilter', 'content_filter', 'responsibleaipolicyviolation'];
const MAX_IMAGE_SIZE = /20971520|20 ?MB|image (?:file )?size/i;

function classifyAzure(response: HttpResponse): FailureReading | undefined {
  const error = isObject(response.body) && isObject(response.body.error) ? response.body.error : {};
  const inner = innerOf(error);
  const codes = [stringAt(error, 'code'), stringAt(inner, 'code')].filter((code) => code !== undefined);
  const { message = 'Azure gave no message', code } = providerWords(response) ?? {};
  if (codes.some((one) => FILTERED.includes(one.toLowerCase())))
    return filtered(message, codes, inner, response.status);
  const named = classifyOpenai(response);
  if (named?.kind === 'policy') return { ...named, message: withCategories(named.message, inner) };
  if (response.status === 403 && code === 'Forbidden') {
    const classifiedBy = 'azure 403 Forbidden';
    return { kind: 'permission', code, classifiedBy, message: `the Azure resource is blocked: ${message}` };
  }
  if (response.status === 400 && MAX_IMAGE_SIZE.test(message)) {
    return { kind: 'too_large', message: `Azure takes pictures of up to 20 MB: ${message}` };
  }
  return named;
}

function innerOf(error: JsonObject): JsonObject {
  return [error.innererror, error.inner_error].find(isObject) ?? {};
}

/** What is blocked at the output was made first, and may be billed. */
function filtered(said: string, codes: readonly string[], inner: JsonObject, status: number): FailureReading {
  const [code = 'content_filter'] = codes;
  const told = { kind: 'policy', code, classifiedBy: `status ${status}, code ${codes.join(', ')}` } as const;
  const message = withCategories(said, inner);
  if (/generated image|output/i.test(said)) return { ...told, message, stage: 'output', certainty: 'completed' };
  return /prompt|input/i.test(said) ? { ...told, message, stage: 'input' } : { ...told, message };
}

/** `hate: medium`, for each category that the filter acted on. */
function withCategories(message: string, inner: JsonObject): string {
  const results = [inner.content_filter_result, inner.content_filter_results].find(isObject) ?? {};
  const acted = Object.entries(results).filter(([, result]) => isObject(result) && result.filtered === true);
  const words = acted.map(([name, result]) => categoryWords(name, result));
  return words.length === 0 ? message : `${message} (${words.join(', ')})`;
}

function categoryWords(name: string, result: JsonValue | undefined): string {
  const severity = stringAt(result, 'severity');
  return severity === undefined ? name : `${name}: ${severity}`;
}
