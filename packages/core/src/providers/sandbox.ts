/**
 * The sandbox: OpenAI's protocol played by a local server that fails on command and keeps a bill. Two model names are
 * not models but ports of it, one that refuses connections and one that resets them.
 */
import { CHAT_ENDPOINTS } from '../chat/endpoints.ts';
import type { HttpRequest } from '../http.ts';
import type { Price } from '../price.ts';
import type { ImageRequest } from '../request.ts';
import { imageSubmit, openaiModel, readImageEvent } from './openai.ts';
import { openaiChat } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { CallContext, ChatModel, Model, Provider } from './provider.ts';

/** Where a running sandbox listens. */
export interface SandboxAddress {
  readonly url: string;
  readonly refusePort: number;
  readonly resetPort: number;
}

export const SANDBOX_PRICE_PER_IMAGE_USD = 0.04;
/** As its bill counts tokens. */
const SANDBOX_TOKEN_PRICE: Price = {
  perMillionTokensUsd: { textInput: 1, cachedInput: 0.1, imageInput: 1, output: 4 },
};

/** A few of them, to be listed; any name is a model. */
const FAULTS: readonly string[] = ['ok', 'slow:4', '500', 'policy', '429:2', 'reset-after-accept'];
const CHAT_FAULTS: readonly string[] = ['slow-first:4', 'stall-mid-stream', 'die-mid-stream', 'error-first-frame'];

const CHAT_MODELS: readonly ChatModel[] = [...FAULTS, ...CHAT_FAULTS].map((id) => ({ id, endpoints: CHAT_ENDPOINTS }));

/** `address` is asked at every call, because a restarted sandbox listens elsewhere. */
export function sandboxProvider(address: () => SandboxAddress): Provider {
  const submit = imageSubmit((fields) => fields);
  return {
    id: 'sandbox',
    models: FAULTS.map(sandboxModel),
    model: sandboxModel,
    credentialPerModel: true,
    // One account whatever the key, so that a script's position does not depend on who calls.
    authorize: (request) => request,
    classify: classifyOpenai,
    image: {
      submit: {
        build: (request: ImageRequest, context: CallContext): HttpRequest =>
          submit.build(request, { ...context, baseUrl: `${sandboxOrigin(context.model, address())}/v1` }),
        parse: submit.parse,
      },
      stream: readImageEvent,
    },
    chat: openaiChat({
      models: CHAT_MODELS,
      price: SANDBOX_TOKEN_PRICE,
      root: (_baseUrl, model) => `${sandboxOrigin(model, address())}/v1`,
    }),
  };
}

/** Where requests for a model go, without a slash at the end. */
export function sandboxOrigin(model: string, address: SandboxAddress): string {
  if (model === 'refuse') return `http://127.0.0.1:${address.refusePort}`;
  if (model === 'reset-before-read') return `http://127.0.0.1:${address.resetPort}`;
  return address.url;
}

/** One picture per call, so that several are several calls and a script can fail one of them. */
function sandboxModel(id: string): Model {
  return { ...openaiModel(id), maxImagesPerCall: 1, price: { perImageUsd: SANDBOX_PRICE_PER_IMAGE_USD } };
}
