/**
 * FoxAPI, an aggregator of many makers' models behind one task API. Reference pictures are uploaded first; results live
 * for 24 hours.
 * Facts: docs.foxapi.cc (error codes in two revisions, task detail, image models), read 2026-11. Unverified: the upload
 * route's form (third-party clients), how many references a model takes, whether a failed task is billed, so what it
 * tried and failed at says `failed`. Its cancellation is announced (`can_cancel`) and documented nowhere.
 */
import type { FailureKind } from '../failure.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest } from '../request.ts';
import file from './data/foxapi.json' with { type: 'json' };
import { readModelFile } from './model-data.ts';
import { bearer } from './openai.ts';
import type { CallContext, Provider } from './provider.ts';
import { BLOCKED_WORDS, classifyUnified, type TaskCodes, taskPoll, taskSubmit, type Uploaded } from './unified-task.ts';

export const foxapi: Provider = {
  id: 'foxapi',
  access: {
    baseUrl: 'https://api.foxapi.cc/v1',
    keyVariables: ['FOXAPI_API_KEY'],
    baseUrlVariables: ['FOXAPI_BASE_URL'],
  },
  models: readModelFile(file).models,
  model: (id) => foxapi.models.find((model) => model.id === id),
  authorize: bearer,
  classify: classifyUnified,
  image: {
    submit: taskSubmit({
      codes: taskCodes,
      uploadUrl: ({ baseUrl }) => `${baseUrl}/files/upload/stream`,
      fields: fieldsOf,
    }),
    poll: taskPoll(taskCodes),
  },
};

/** What a caller may not set through the back door of unknown fields. */
const RESERVED = { callback_url: undefined, webhook_url: undefined };

function fieldsOf(request: ImageRequest, { model }: CallContext, { images }: Uploaded): JsonObject {
  const isWan = model.startsWith('wan-');
  // Its edits keep the shape of their picture, and refuse to be told another.
  const aspectRatio = model.startsWith('grok-') && images.length > 0 ? undefined : request.aspectRatio;
  return {
    ...request.extra,
    ...RESERVED,
    model,
    prompt: request.prompt,
    num_outputs: request.n > 1 ? request.n : undefined,
    ...(isWan ? { image_size: WAN_SIZES.get(aspectRatio ?? '') } : { aspect_ratio: aspectRatio }),
    resolution: request.resolution,
    size: request.size,
    quality: request.quality,
    output_format: request.outputFormat,
    seed: request.seed,
    negative_prompt: request.negativePrompt,
    image_urls: images.length > 0 ? images : undefined,
  };
}

/** Named on the model's page as far as `portrait_4_3`; the others are fal's names, which it follows. */
const WAN_SIZES: ReadonlyMap<string, string> = new Map([
  ['1:1', 'square_hd'],
  ['3:4', 'portrait_4_3'],
  ['9:16', 'portrait_16_9'],
  ['4:3', 'landscape_4_3'],
  ['16:9', 'landscape_16_9'],
]);

const TASK_CODES: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries({
    model_unavailable: 'overloaded',
    timeout: 'timeout',
    content_policy_violation: 'policy',
    invalid_image_url: 'image_url',
    file_too_large: 'too_large',
    unsupported_format: 'image_format',
  } as const),
);

/** `generation_failed` is also what a blocked picture is called, in its own documentation; the message tells. */
function taskCodes(code: string, message: string): ReturnType<TaskCodes> {
  return TASK_CODES.get(code) ?? (BLOCKED_WORDS.test(message) ? 'policy' : 'server');
}
