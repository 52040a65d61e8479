import { keptPrompt } from '../accept.ts';
import { answerOrder } from '../exchange.ts';
import { openAiHeaders, RefusedError } from '../wire/answer.ts';
import { type ImageCall, readCall } from '../wire/call.ts';
import type { ProtocolAnswer, ProtocolCall } from './protocol.ts';
import { reasoned } from './routing.ts';
import { paintScript } from './words.ts';

type Operation = ImageCall['operation'];

const FIELDS = [
  ...['model', 'prompt', 'n', 'size', 'quality', 'output_format', 'output_compression', 'background', 'moderation'],
  ...['stream', 'partial_images', 'user', 'safety_identifier', 'complexity', 'fault'],
];
const EDIT_FIELDS = [...FIELDS, 'input_fidelity'];
const ANY_SIZE = /^gpt-image-2/u;
const EXTRA_QUALITY = /^gpt-image-2\.5/u;
const SIZES = ['auto', '1024x1024', '1536x1024', '1024x1536'];
const MIN_PIXELS = 655_360;
const MAX_PIXELS = 3840 * 2160;
const MAX_LONG_SIDE = 3840;
const SIDE_STEP = 16;
const MAX_RATIO = 3;

/**
 * Answers a request of OpenAI's Images API as strictly as GPT image models do: unknown fields, `response_format`,
 * `seed` and sizes that a model does not draw are refused. `model` is the deployment's where the path names it.
 */
export async function answerImages(
  call: ProtocolCall,
  operation: Operation,
  model: string,
  family: string | undefined,
): Promise<ProtocolAnswer | undefined> {
  const startedAt = performance.now();
  const { values } = call.body;
  call.bill.model = model;
  if (operation === 'edit' && !call.form) {
    const type = call.headers['content-type'] ?? '';
    const message = `Unsupported content type: '${type.slice(0, 100)}'. Send an edit as 'multipart/form-data'.`;
    throw new RefusedError({ status: 400, code: 'unsupported_content_type', message });
  }
  refuseUnknown(values, operation === 'edit' ? EDIT_FIELDS : FIELDS);
  const image = readCall(operation, call.body);
  call.bill.prompt = image.prompt;
  if (family !== undefined) checkFamily(family, values, image);
  const draft = {
    ...{ at: Date.now(), operation, model: `${call.protocol.name}/${model}` },
    prompt: keptPrompt(image.prompt),
  };
  const order = { call: image, model, script: paintScript(call.script), key: call.key };
  await answerOrder(call.context, order, draft, call.response, {
    headers: () => ({ ...openAiHeaders(startedAt), ...call.protocol.headers?.(call) }),
    refuse: (refusal) => {
      call.bill.written = true;
      return call.protocol.refuse(reasoned(refusal), call);
    },
  });
  return undefined;
}

function refuseUnknown(values: ProtocolCall['body']['values'], known: readonly string[]): void {
  const param = Object.keys(values).find((field) => !known.includes(field));
  if (param === undefined) return;
  const message = `Unknown parameter: '${param.slice(0, 100)}'.`;
  throw new RefusedError({ status: 400, code: 'unknown_parameter', param: param.slice(0, 100), message });
}

function checkFamily(
  family: string,
  { size, quality, input_fidelity }: ProtocolCall['body']['values'],
  image: ImageCall,
): void {
  if (
    quality === 'standard' ||
    quality === 'hd' ||
    (/^(xhigh|max)$/u.test(`${quality}`) && !EXTRA_QUALITY.test(family))
  ) {
    throw invalidValue('quality', `${quality}`, "'low', 'medium', 'high', and 'auto'");
  }
  if (input_fidelity !== undefined && ANY_SIZE.test(family)) {
    const message = `The model '${family}' does not support 'input_fidelity'.`;
    const code = 'invalid_input_fidelity_model';
    throw new RefusedError({
      status: 400,
      type: 'image_generation_user_error',
      code,
      param: 'input_fidelity',
      message,
    });
  }
  if (typeof size !== 'string' || size === 'auto') return;
  if (!ANY_SIZE.test(family)) {
    if (!SIZES.includes(size)) throw invalidValue('size', size, "'1024x1024', '1024x1536', '1536x1024', and 'auto'");
    return;
  }
  const { width, height } = image;
  const [short, long, pixels] = [Math.min(width, height), Math.max(width, height), width * height];
  const fits = long <= MAX_LONG_SIDE && long <= MAX_RATIO * short && pixels >= MIN_PIXELS && pixels <= MAX_PIXELS;
  if (!fits || width % SIDE_STEP !== 0 || height % SIDE_STEP !== 0) {
    throw invalidValue('size', size, `sides in multiples of 16 from ${MIN_PIXELS} to ${MAX_PIXELS} pixels up to 3:1`);
  }
}

function invalidValue(param: string, value: string, supported: string): RefusedError {
  const message = `Invalid value: '${value.slice(0, 100)}'. Supported values are: ${supported}.`;
  return new RefusedError({ status: 400, type: 'image_generation_user_error', code: 'invalid_value', param, message });
}
