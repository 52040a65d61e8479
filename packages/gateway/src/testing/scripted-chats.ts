import type { ChatPlan, ChatSink, Outcome } from '@onetake/core';
import type { Chats, ChatWork } from '../chat/chats.ts';
import { createLive, type Live } from '../tasks/live.ts';

/** How one answer goes: it writes to the sink and says how it ended. */
export type ChatScene = (sink: ChatSink, live: Live<ChatPlan>) => Promise<Outcome>;

/** Answers of chat as a test plays them; `begun` holds what was asked. */
export function createScriptedChats(scene: ChatScene): {
  readonly chats: Chats;
  readonly begun: readonly ChatWork[];
  readonly lives: readonly Live<ChatPlan>[];
} {
  const begun: ChatWork[] = [];
  const lives: Live<ChatPlan>[] = [];
  const chats: Chats = {
    begin(work) {
      begun.push(work);
      const live = createLive({
        ...{ id: `gen_chat${begun.length}`, caller: work.caller, requestId: work.requestId, plan: work.plan },
        ...{ fingerprint: '', journals: [[]], joined: true, unsentGraceMs: 0, now: () => 0 },
      });
      lives.push(live);
      return { live, outcome: scene(work.sink(live), live) };
    },
  };
  return { chats, begun, lives };
}

/** Says this as a chat model does, in two pieces. */
export function saying(content: string): ChatScene {
  return async (sink) => {
    const bytes = Buffer.from(JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }));
    sink.begin({ status: 200, contentType: 'application/json', target: 'words/small' });
    sink.write(bytes.subarray(0, 10));
    sink.write(bytes.subarray(10));
    return { ok: true, images: [] };
  };
}
