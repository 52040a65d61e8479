import { type Catalogue, type ChatSink, type Outcome, openaiCompatible } from '@onetake/core';
import type { Chats, ChatWork } from '../../chat/chats.ts';
import { createLive } from '../../tasks/live.ts';

export const CHAT = '/v1/chat/completions';

/** One provider, `lab`, that answers to any name. */
export const CATALOGUE: Catalogue = {
  connections: [{ id: 'lab', provider: openaiCompatible, baseUrl: 'http://127.0.0.1:1/v1', secret: '' }],
  routes: {},
  defaultModel: undefined,
};

export const USAGE = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 15,
};

/** A line that was asked, and is answered when the test says so. */
export interface AskedLine {
  readonly work: ChatWork;
  /** The caller's own words, the name of the line. */
  readonly said: string;
  isOpen(): boolean;
  /** Answers with this text, in two pieces. */
  answer(text: string): void;
  end(outcome: Outcome): void;
}

/** Chats that are answered when a test says so. */
export function createChatWorld(now: () => number) {
  const asked: AskedLine[] = [];
  let isFull = false;
  let onAsked = (_count: number) => {};

  const begin: Chats['begin'] = (work) => {
    if (isFull) return undefined;
    const live = createLive({
      ...{ id: `gen_${asked.length}`, caller: work.caller, requestId: work.requestId, plan: work.plan },
      ...{ fingerprint: '', journals: [[]], joined: true, unsentGraceMs: 0, now },
    });
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
    const line = openLine(work, work.sink(live), resolve);
    live.cancelSignal.addEventListener('abort', () => {
      line.end({ ok: false, failure: { kind: 'canceled', certainty: 'ambiguous', message: 'canceled' } });
    });
    asked.push(line);
    onAsked(asked.length);
    return { live, outcome };
  };

  return {
    begin,
    asked,
    open: () => asked.filter((line) => line.isOpen()),
    setFull: (full: boolean) => {
      isFull = full;
    },
    /** Calls back with how many were asked so far. */
    onAsked: (callback: (count: number) => void) => {
      onAsked = callback;
    },
  };
}

function openLine(work: ChatWork, sink: ChatSink, resolve: (outcome: Outcome) => void): AskedLine {
  let isOpen = true;
  const end = (outcome: Outcome) => {
    isOpen = false;
    resolve(outcome);
  };
  return {
    work,
    said: work.plan.chat.excerpt,
    isOpen: () => isOpen,
    end,
    answer(text) {
      const bytes = Buffer.from(text);
      sink.begin({ status: 200, contentType: 'application/json', target: 'lab/any' });
      sink.write(bytes.subarray(0, 3));
      sink.write(bytes.subarray(3));
      end({ ok: true, images: [], usage: USAGE });
    },
  };
}

/** A request line of this name, which says its name. */
export function chatLine(customId: string, body: object = {}) {
  const messages = [{ role: 'user', content: customId }];
  return { custom_id: customId, method: 'POST', url: CHAT, body: { model: 'lab/any', messages, ...body } };
}

export function chatLines(count: number) {
  return Array.from({ length: count }, (_, index) => chatLine(`line ${index}`));
}

/** What a provider would say to it. */
export function answerTo(said: string): string {
  return JSON.stringify({ choices: [{ message: { role: 'assistant', content: `${said}, indeed` } }] });
}
