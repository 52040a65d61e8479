/**
 * EvoLink, an aggregator with the task API of FoxAPI and codes of its own. Reference pictures and masks (white marks the
 * area to edit) are fetched by it, so edits need an address at which it can reach us. Results live for 24 hours.
 * Facts: docs.evolink.ai (error codes, image models) and EvoLinkAI/evolink-media-mcp@e988e08, read 2026-11. Unverified:
 * whether a failed task is billed (credits are reserved first), so what it tried and failed at says `failed`. Its
 * cancellation is announced (`can_cancel`) and documented nowhere.
 */
import type { FailureKind } from '../failure.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/evolink.json' with { type: 'json' };
import { assetLink } from './links.ts';
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, Provider } from './provider.ts';
import {
  BLOCKED_WORDS,
  classifyUnified,
  generationRequest,
  readTask,
  type TaskCodes,
  taskPoll,
} from './unified-task.ts';

export const evolink: Provider = {
  id: 'evolink',
  access: {
    baseUrl: 'https://api.evolink.ai/v1',
    keyVariables: ['EVOLINK_API_KEY'],
    baseUrlVariables: ['EVOLINK_BASE_URL'],
  },
  models: readModelFile(file).models,
  model: (id) => evolink.models.find((model) => model.id === id),
  authorize: bearer,
  classify: classifyUnified,
  image: {
    submit: {
      build: (request, context) => generationRequest(fieldsOf(request, context), context),
      parse: (response) => readTask(response, taskCodes),
    },
    poll: taskPoll(taskCodes),
  },
};

function fieldsOf(request: ImageRequest, context: CallContext): JsonObject {
  const { model, webhookUrl } = context;
  const links = (request.images ?? []).map((asset) => assetLink(context, asset)).filter((link) => link !== undefined);
  // Google's models call their resolution a quality.
  const resolution = model.startsWith('gemini-') ? { quality: request.resolution } : { resolution: request.resolution };
  return {
    ...request.extra,
    model,
    prompt: request.prompt,
    n: request.n > 1 ? request.n : undefined,
    size: request.aspectRatio ?? request.size,
    quality: request.quality,
    ...(request.resolution !== undefined && resolution),
    seed: request.seed,
    image_urls: links.length > 0 ? links : undefined,
    mask_url: request.mask && assetLink(context, request.mask),
    // It calls https addresses only, and refuses the request for another.
    callback_url: webhookUrl?.startsWith('https://') ? webhookUrl : undefined,
  };
}

const TASK_CODES: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    content_policy_violation: 'policy',
    invalid_parameters: 'invalid',
    image_dimension_mismatch: 'invalid',
    request_cancelled: 'canceled',
    generation_timeout: 'timeout',
    resource_exhausted: 'overloaded',
    service_unavailable: 'overloaded',
    generation_failed_no_content: 'empty',
    service_error: 'server',
    unknown_error: 'server',
  } as const),
);

const NO_QUOTA = /balance|credits?\b|insufficient|top.?up|billing|account quota/i;
const NOT_FETCHED = /\burl\b|download|fetch|access/i;

function taskCodes(code: string, message: string): ReturnType<TaskCodes> {
  // One code for a rate and for an empty account; a rate passes.
  if (code === 'quota_exceeded') return NO_QUOTA.test(message) ? 'quota' : 'throttled';
  if (code === 'image_processing_error') return NOT_FETCHED.test(message) ? 'image_url' : 'image_format';
  return TASK_CODES.get(code) ?? (BLOCKED_WORDS.test(message) ? 'policy' : 'server');
}
