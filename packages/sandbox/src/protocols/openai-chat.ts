import { draftOf } from '../accept.ts';
import type { ChatEndpoint } from '../chat/call.ts';
import { answerChat, type ChatDraft, keptWords } from '../chat/exchange.ts';
import { readChat } from '../chat/routes.ts';
import { type ChatCue, readChatScript } from '../faults/chat.ts';
import { openAiHeaders } from '../wire/answer.ts';
import type { ProtocolAnswer, ProtocolCall, ProtocolRoute } from './protocol.ts';
import { reasoned } from './routing.ts';

/** A path at which a protocol answers chat or embeddings as OpenAI does; `modelOf` says where the model stands. */
export function chatRoute(
  path: string,
  endpoint: ChatEndpoint,
  modelOf?: (call: ProtocolCall) => string,
): ProtocolRoute {
  const handle = (call: ProtocolCall) => answerChatCall(call, endpoint, modelOf?.(call));
  return { method: 'POST', path, bills: true, readScript: readChatWords, handle };
}

/** What chat plays by the script of a call. */
export function readChatWords({ script }: ProtocolCall): readonly ChatCue[] {
  return readChatScript('ok', script);
}

/** Answers a request of chat; `deployment` stands for the model where the path names it. */
export async function answerChatCall(
  call: ProtocolCall,
  endpoint: ChatEndpoint,
  deployment?: string,
): Promise<ProtocolAnswer | undefined> {
  const startedAt = performance.now();
  const { bill, protocol } = call;
  const values = deployment === undefined ? call.body.values : { ...call.body.values, model: deployment };
  bill.endpoint = endpoint;
  if (typeof values.model === 'string' && values.model !== '') bill.model = values.model.slice(0, 1000);
  const read = readChat(endpoint, values);
  bill.prompt = keptWords(read);
  const model = `${protocol.name}/${read.model}`;
  const draft: ChatDraft = { ...draftOf('chat'), endpoint, model, prompt: bill.prompt };
  const order = { call: read, model: read.model, script: readChatWords(call), key: call.key };
  await answerChat(call.context, order, draft, call.response, {
    headers: () => ({ ...openAiHeaders(startedAt), ...protocol.headers?.(call) }),
    refuse: (refusal) => {
      bill.written = true;
      return protocol.refuse(reasoned(refusal), call);
    },
  });
  return undefined;
}
