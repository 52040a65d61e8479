import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalogue } from '@onetake/core';
import { openaiCompatible } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { type ChatScene, createScriptedChats, saying } from '../testing/scripted-chats.ts';
import { createAsk, type Question } from './ask.ts';
import type { Chats } from './chats.ts';

const CATALOGUE: Catalogue = {
  connections: [{ id: 'words', provider: openaiCompatible, baseUrl: 'http://127.0.0.1:9', secret: '' }],
  routes: {},
  defaultModel: undefined,
};
const QUESTION: Question = {
  caller: 'ann',
  requestId: 'req_1',
  model: 'words/small',
  body: { messages: [{ role: 'user', content: 'hello' }] },
  purpose: 'rewrite of gen_1, attempt 1',
  timeoutMs: 5_000,
};
const SILENT: ChatScene = (_sink, live) =>
  new Promise((resolve) => {
    const failure = { kind: 'canceled', certainty: 'ambiguous', message: 'it was canceled' } as const;
    live.cancelSignal.addEventListener('abort', () => resolve({ ok: false, failure }));
  });

function rig(scene: ChatScene, begin?: Chats['begin']) {
  const clock = createVirtualClock(1_000);
  const scripted = createScriptedChats(scene);
  const ask = createAsk({ chats: begin ? { begin } : scripted.chats, catalogue: CATALOGUE, io: clock });
  return { ...scripted, clock, ask };
}

test('a question is a generation of its caller, marked with what it is for', async () => {
  const { ask, begun, lives } = rig(saying('hello'));
  const told = await ask(QUESTION);
  assert.ok(told.ok);
  assert.deepEqual(told.answer, { choices: [{ message: { role: 'assistant', content: 'hello' } }] });
  assert.equal(told.generation, 'gen_chat1');
  const [work] = begun;
  assert.deepEqual([work?.caller, work?.requestId, work?.endpoint], ['ann', 'req_1', '/v1/chat/completions']);
  assert.equal(work?.plan.chat.purpose, QUESTION.purpose);
  assert.deepEqual([work?.plan.policy.maxPaidAttempts, work?.plan.deadlineAt], [2, 6_000]);
  assert.equal(JSON.parse(Buffer.from(work?.body.bytes ?? []).toString()).model, 'words/small');
  assert.notEqual(lives[0]?.presence().absentSince, undefined, 'it has left');
});

test('what fails is told, whatever it is', async () => {
  const failure = { kind: 'server', certainty: 'failed', message: 'the provider answered 500' } as const;
  const failed = await rig(async () => ({ ok: false, failure })).ask(QUESTION);
  assert.deepEqual([failed.ok, !failed.ok && failed.why], [false, 'the provider answered 500']);
  assert.equal(failed.generation, 'gen_chat1');
  const full = await rig(SILENT, () => undefined).ask(QUESTION);
  assert.match(full.ok ? '' : full.why, /as many requests run as may/);
  const unknown = await rig(SILENT).ask({ ...QUESTION, model: 'words/dall-e-3' });
  assert.match(unknown.ok ? '' : unknown.why, /makes pictures/);
  assert.equal(unknown.generation, undefined);
  const garbled = await rig(async (sink) => {
    sink.write(Buffer.from('{"choices":'));
    return { ok: true, images: [] };
  }).ask(QUESTION);
  assert.match(garbled.ok ? '' : garbled.why, /no JSON/);
});

test('it ends with its time, with its signal, and with an answer that is too long', async () => {
  const slow = rig(SILENT);
  const late = await slow.clock.drive(slow.ask(QUESTION));
  assert.deepEqual([slow.clock.now(), late.ok ? '' : late.why], [6_000, 'it did not answer within 5000 ms']);
  const stop = new AbortController();
  const canceled = rig(SILENT);
  const asked = canceled.ask({ ...QUESTION, signal: stop.signal });
  stop.abort();
  assert.match(JSON.stringify(await asked), /it was canceled/);
  const none = await canceled.ask({ ...QUESTION, signal: stop.signal });
  assert.deepEqual([none.ok, canceled.begun.length], [false, 1]);
  const long = rig(async (sink, live) => {
    for (let megabytes = 0; megabytes < 8 && !live.cancelSignal.aborted; megabytes += 1)
      sink.write(Buffer.alloc(1024 * 1024, 0x20));
    return { ok: false, failure: { kind: 'canceled', certainty: 'ambiguous', message: 'it was canceled' } };
  });
  const told = await long.ask(QUESTION);
  assert.match(told.ok ? '' : told.why, /longer than 1048576 bytes/);
  assert.ok(long.lives[0]?.cancelSignal.aborted);
});
