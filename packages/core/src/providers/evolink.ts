/**
 * EvoLink, an aggregator with the task API of FoxAPI and codes of its own. Reference pictures and masks (white marks the
 * area to edit) are uploaded first, to an address of their own; results live for 24 hours.
 * Facts: docs.evolink.ai (error codes, image models) and EvoLinkAI/evolink-media-mcp@e988e08, read 2026-11. Unverified:
 * whether a failed task is billed (credits are reserved first), so what it tried and failed at says `failed`. Its
 * cancellation is announced (`can_cancel`) and documented nowhere.
 */
import type { FailureKind } from '../failure.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/evolink.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, Provider } from './provider.ts';
import { BLOCKED_WORDS, classifyUnified, type TaskCodes, taskPoll, taskSubmit, type Uploaded } from './unified-task.ts';

const API = 'https://api.evolink.ai/v1';
const FILES = 'https://files-api.evolink.ai/api/v1';

export const evolink: Provider = {
  id: 'evolink',
  access: {
    baseUrl: API,
    keyVariables: ['EVOLINK_API_KEY'],
    baseUrlVariables: ['EVOLINK_BASE_URL'],
  },
  models: readModelFile(file).models,
  model: (id) => evolink.models.find((model) => model.id === id),
  authorize: bearer,
  classify: classifyUnified,
  image: {
    submit: taskSubmit({ codes: taskCodes, uploadUrl, fields: fieldsOf }),
    poll: taskPoll(taskCodes),
  },
};

/** It keeps files at an address of its own; whoever stands in for it has them at its own. */
function uploadUrl({ baseUrl }: CallContext): string {
  return `${baseUrl === API ? FILES : baseUrl}/files/upload/stream`;
}

function fieldsOf(request: ImageRequest, context: CallContext, { images, mask }: Uploaded): JsonObject {
  const { model, webhookUrl } = context;
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
    image_urls: images.length > 0 ? images : undefined,
    mask_url: mask,
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
