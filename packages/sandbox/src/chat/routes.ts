import type { IncomingMessage, ServerResponse } from 'node:http';
import { draftOf, readName, UNREADABLE, withRefusals } from '../accept.ts';
import type { ImageContext } from '../exchange.ts';
import { readChatScript } from '../faults/chat.ts';
import { withoutPrefix } from '../faults/script.ts';
import { openAiHeaders, refusalAnswer } from '../wire/answer.ts';
import { jsonFields, readBody } from '../wire/body.ts';
import { type ChatCall, type ChatEndpoint, readChatCall, type Values } from './call.ts';
import { type EmbeddingsCall, readEmbeddingsCall } from './embeddings.ts';
import { answerChat, type ChatDraft, keptWords } from './exchange.ts';

/** Answers a request of chat at the sandbox's own root, where a fault stands as the model. */
export async function answerChatPost(
  context: ImageContext,
  endpoint: ChatEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const body = await readBody(request);
  const draft: ChatDraft = { ...draftOf('chat'), endpoint };
  const dress = { headers: () => openAiHeaders(startedAt), refuse: refusalAnswer };
  await withRefusals(context.ledger, draft, () => {
    const { values } = jsonFields(body);
    const name = readName({ values }, 'model') ?? '';
    draft.model = withoutPrefix(name) || UNREADABLE;
    const call = readChat(endpoint, values);
    draft.prompt = keptWords(call);
    const script = readChatScript(name, readName({ values }, 'fault'));
    const order = { call, model: draft.model, script, key: request.headers.authorization };
    return answerChat(context, order, draft, response, dress);
  });
}

/** Reads and checks the fields of a request. */
export function readChat(endpoint: ChatEndpoint, values: Values): ChatCall | EmbeddingsCall {
  return endpoint === 'embeddings' ? readEmbeddingsCall(values) : readChatCall(endpoint, values);
}
