import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleChatPlan } from '../testing/chat-samples.ts';
import { samplePlan } from './contract/samples.ts';
import { makesChat, makesPictures, promptOf } from './plan-kind.ts';

test('a plan is of one kind, with words to list it by', () => {
  const [pictures, chat] = [{ plan: samplePlan() }, { plan: sampleChatPlan() }];
  assert.deepEqual([makesPictures(pictures), makesChat(pictures), promptOf(pictures.plan)], [true, false, 'a red fox']);
  assert.deepEqual([makesPictures(chat), makesChat(chat), promptOf(chat.plan)], [false, true, 'hello']);
});
