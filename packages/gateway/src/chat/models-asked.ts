import { type Catalogue, type JsonObject, planChat, readChat } from '@onetake/core';
import type { ChatConfig } from '../config/chat.ts';
import { ConfigError, fault } from '../config/report.ts';

const QUESTION: JsonObject = { model: 'any', messages: [{ role: 'user', content: 'any' }] };

/**
 * Throws a `ConfigError` for every model of the section `chat` that nobody here answers to: better at the start than
 * after the first refusal.
 */
export function checkModelsAsked({ rewriteModel, judgeModel }: ChatConfig, catalogue: Catalogue): void {
  const read = readChat('chat/completions', Buffer.from(JSON.stringify(QUESTION)));
  if (!read.ok) throw new Error(`the question is not one of chat: ${read.failure.message}`);
  // What providers list is not known yet.
  const known = { ...catalogue, lists: () => false };
  const named = { 'chat.rewrite_model': rewriteModel, 'chat.judge_model': judgeModel };
  const faults = Object.entries(named).flatMap(([path, name]) => {
    const planned = name === undefined ? undefined : planChat(read.request, name, known, {}, 0);
    if (planned === undefined || planned.ok) return [];
    return [fault(path, 'a model for chat, or a route of such', name, planned.failure.message)];
  });
  if (faults.length > 0) throw new ConfigError(faults);
}
