import { type Answer, jsonAnswer, openAiHeaders, RefusedError, refusalAnswer } from '../wire/answer.ts';
import { needText } from './fields.ts';
import { schemeKey } from './keys.ts';
import { chatRoute } from './openai-chat.ts';
import { answerImages } from './openai-images.ts';
import { newResponseId, RESPONSE_ROUTES } from './openai-responses.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

/** Models that draw; older ones were shut down. */
const MODELS = [
  ...['gpt-image-2.6-sunburst', 'gpt-image-2.6-flare', 'gpt-image-2.5-sunburst', 'gpt-image-2.5-flare'],
  ...['gpt-image-2.5-sunburst-2026-09-08', 'gpt-image-2.5-flare-2026-09-08', 'gpt-image-2', 'gpt-image-2-2026-04-21'],
  ...['gpt-image-1.5', 'gpt-image-1-mini', 'chatgpt-image-latest'],
];

/**
 * OpenAI's own API, stricter than the sandbox's main routes: a key, its models that draw and what these take. Images at
 * once or streamed, chat of any model, and the Responses API whose background responses are jobs.
 */
export const openai: Protocol = {
  name: 'openai',
  basePath: '/v1',
  routes: [
    { method: 'POST', path: '/v1/images/generations', bills: true, handle: (call) => images(call, 'generate') },
    { method: 'POST', path: '/v1/images/edits', bills: true, handle: (call) => images(call, 'edit') },
    chatRoute('/v1/chat/completions', 'chat/completions'),
    chatRoute('/v1/embeddings', 'embeddings'),
    ...RESPONSE_ROUTES,
    { method: 'GET', path: '/v1/models', handle: () => jsonAnswer(200, { object: 'list', data: MODELS.map(modelOf) }) },
    { method: 'GET', path: '/v1/models/:model', handle: ({ params }) => jsonAnswer(200, modelOf(known(params.model))) },
  ],
  key: schemeKey('Bearer'),
  headers: () => openAiHeaders(performance.now()),
  refuse: refuseAsOpenai,
  jobs: { newId: newResponseId, aliases: { policy: 'moderated' } },
};

function images(call: ProtocolCall, operation: 'generate' | 'edit'): Promise<ProtocolAnswer | undefined> {
  const model = known(needText(call.body.values, 'model'));
  return answerImages(call, operation, model, model);
}

function known(model = ''): string {
  if (MODELS.includes(model)) return model;
  const message = `The model '${model.slice(0, 100)}' does not exist or you do not have access to it.`;
  throw new RefusedError({ status: 404, code: 'model_not_found', param: 'model', message });
}

function modelOf(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'system' };
}

/** OpenAI's envelope, with a code where only the field is named. */
export function refuseAsOpenai(refusal: ProtocolRefusal): Answer {
  if (refusal.reason === 'key' && refusal.code === undefined) {
    const message = "You didn't provide an API key. You need to provide your API key in an Authorization header.";
    return refusalAnswer({ ...refusal, message });
  }
  const code = refusal.code === 'missing' ? 'missing_required_parameter' : refusal.code;
  return refusalAnswer({ ...refusal, ...(code !== undefined && { code }) });
}
