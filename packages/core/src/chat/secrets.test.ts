import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection } from '../environment.ts';
import { openaiCompatible } from '../providers/openai.ts';
import { openaiChat } from '../providers/openai-chat.ts';
import {
  answered,
  chatFailed,
  chunkEvent,
  errorEvent,
  refusedWith,
  runScriptedChat,
  sampleChatPlan,
  streamed,
} from '../testing/chat-rig.ts';

/** Like no key that can be told by its look. */
const SECRET = 'correct.horse.battery.staple.of.the.house';
const provider = { ...openaiCompatible, chat: openaiChat() };
const connection = (id: string): Connection => ({ id, provider, baseUrl: `http://${id}/v1`, secret: SECRET });

/** Some of it stands where a message is cut off. */
const words = (before: number) => `${'no '.repeat(before / 3)}${SECRET} is not a key`;

suite('a provider that repeats our key where its words are cut leaves no part of it with us', () => {
  for (const before of [3, 480, 489, 498, 16_350, 16_365, 65_500]) {
    const message = words(before - (before % 3));
    const PLAYS = {
      'in an error inside a stream': streamed([errorEvent({ message, code: 401 })]),
      'in the middle of one': streamed([chunkEvent({ content: 'hel' }), errorEvent({ message, type: 'server_error' })]),
      'as an event of words': streamed([`event: error\ndata: ${message}\n\n`]),
      'in a name of an error': streamed([errorEvent({ message: 'no', code: message })]),
      'in an error inside a whole answer': answered({ error: { message } }),
      'in what is no JSON': answered(message),
      'in a page': answered(`<p>${message}`, 200, { 'content-type': 'text/html' }),
      'in an error': refusedWith(401, { message }),
    };
    for (const [where, play] of Object.entries(PLAYS)) {
      test(`${where}, ${before} characters in`, async () => {
        const plan = sampleChatPlan(['a'], { stream: !where.includes('whole') }, { maxPaidAttempts: 1 });
        const { outcome, durable } = await runScriptedChat({
          plan,
          environment: { connection },
          scripts: { a: [play] },
        });
        const told = JSON.stringify([durable, chatFailed(outcome)]);
        assert.ok(!told.includes(SECRET.slice(0, 8)), told.slice(0, 2_000));
      });
    }
  }
});
