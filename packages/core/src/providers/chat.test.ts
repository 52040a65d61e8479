import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT_ENDPOINTS } from '../chat/endpoints.ts';
import { chatFixtures, testChat } from '../testing/test-chat.ts';
import { azure } from './azure.ts';
import { deepinfra } from './deepinfra.ts';
import { fireworks } from './fireworks.ts';
import googleChat from './fixtures/google-chat.json' with { type: 'json' };
import lmstudioAnswers from './fixtures/lmstudio.json' with { type: 'json' };
import ollamaAnswers from './fixtures/ollama.json' with { type: 'json' };
import openaiChat from './fixtures/openai-chat.json' with { type: 'json' };
import vllmAnswers from './fixtures/vllm.json' with { type: 'json' };
import { google } from './google.ts';
import { PROVIDERS } from './index.ts';
import { lmstudio } from './lmstudio.ts';
import { localai } from './localai.ts';
import { ollama } from './ollama.ts';
import { openai, openaiCompatible } from './openai.ts';
import { openaiResponses } from './openai-responses.ts';
import type { ChatCalls, Provider } from './provider.ts';
import { sandboxProvider } from './sandbox.ts';
import { together } from './together.ts';
import { vllm } from './vllm.ts';
import { xai } from './xai.ts';

const OPENAI = chatFixtures(openaiChat);
const sandbox = sandboxProvider(() => ({ url: 'http://127.0.0.1:1', refusePort: 2, resetPort: 3 }));
const allAt = (root: string) => Object.fromEntries(CHAT_ENDPOINTS.map((one) => [one, `${root}/${one}`]));
const twoAt = (root: string) => ({
  'chat/completions': `${root}/chat/completions`,
  embeddings: `${root}/embeddings`,
});

const GOOGLE = 'https://generativelanguage.googleapis.com/v1beta';
const AZURE = 'https://me.openai.azure.com';

testChat(openai, OPENAI, 'https://api.openai.com/v1', allAt('https://api.openai.com/v1'));
testChat(openaiResponses, { ...OPENAI, answers: [] }, 'https://api.openai.com/v1', allAt('https://api.openai.com/v1'));
testChat(openaiCompatible, OPENAI, 'https://openrouter.ai/api/v1', allAt('https://openrouter.ai/api/v1'));
testChat(xai, { ...OPENAI, answers: [] }, 'https://api.x.ai/v1', allAt('https://api.x.ai/v1'));
testChat(fireworks, { ...OPENAI, answers: [] }, 'https://api.fireworks.ai/inference/v1', {
  ...allAt('https://api.fireworks.ai/inference/v1'),
});
testChat(together, { ...OPENAI, answers: [] }, 'https://api.together.xyz/v1', twoAt('https://api.together.xyz/v1'));
testChat(deepinfra, { ...OPENAI, answers: [] }, 'https://api.deepinfra.com/v1', {
  ...twoAt('https://api.deepinfra.com/v1/openai'),
});
testChat(google, chatFixtures(googleChat), GOOGLE, twoAt(`${GOOGLE}/openai`));
testChat(localai, { ...OPENAI, answers: [] }, 'http://gpu:8080/v1', allAt('http://gpu:8080/v1'));
testChat(ollama, chatFixtures(ollamaAnswers), 'http://127.0.0.1:11434', allAt('http://127.0.0.1:11434/v1'));
testChat(vllm, chatFixtures(vllmAnswers), 'http://127.0.0.1:8000/v1', allAt('http://127.0.0.1:8000/v1'));
testChat(lmstudio, chatFixtures(lmstudioAnswers), 'http://127.0.0.1:1234/v1', allAt('http://127.0.0.1:1234/v1'));

const V1 = '?api-version=v1';
testChat(azure, { model: 'mine', answers: OPENAI.answers }, AZURE, {
  'chat/completions': `${AZURE}/openai/v1/chat/completions${V1}`,
  responses: `${AZURE}/openai/v1/responses${V1}`,
  embeddings: `${AZURE}/openai/v1/embeddings${V1}`,
});

test('Azure’s older form has the deployment in its path, and none where the request names it', () => {
  const baseUrl = `${AZURE}/openai/deployments`;
  const at = (endpoint: (typeof CHAT_ENDPOINTS)[number]) => azure.chat?.url(endpoint, { baseUrl, model: 'my model' });
  const version = '?api-version=2025-04-01-preview';
  assert.equal(at('chat/completions'), `${AZURE}/openai/deployments/my%20model/chat/completions${version}`);
  assert.equal(at('responses'), `${AZURE}/openai/responses${version}`);
});

test('the sandbox is asked where it listens now, and two of its models are ports', () => {
  const at = (model: string) => sandbox.chat?.url('responses', { baseUrl: 'http://ignored', model });
  assert.equal(at('ok'), 'http://127.0.0.1:1/v1/responses');
  assert.equal(at('refuse'), 'http://127.0.0.1:2/v1/responses');
  assert.equal(at('reset-before-read'), 'http://127.0.0.1:3/v1/responses');
});

test('no two providers own a name, and nobody owns one of pictures', () => {
  const owners = (name: string) => PROVIDERS.filter(({ chat }) => chat?.owns?.test(name)).map(({ id }) => id);
  for (const name of ['gpt-4.1', 'gpt-6.2-sol', 'o3', 'o4-mini', 'chatgpt-4o-latest', 'text-embedding-3-large'])
    assert.deepEqual(owners(name), ['openai', 'openai-responses'], name);
  for (const name of ['grok-4', 'grok-code-fast-1']) assert.deepEqual(owners(name), ['xai'], name);
  for (const name of ['gemini-3-flash', 'text-embedding-004', 'gemini-embedding-001'])
    assert.deepEqual(owners(name), ['google'], name);
  for (const name of [
    'gpt-image-2',
    'chatgpt-image-latest',
    'gemini-3-pro-image',
    'grok-imagine',
    'grok-2-image',
    'llama3',
  ])
    assert.deepEqual(owners(name), [], name);
});

test('a list of models is read from an object of data, or from a bare list as Together has it', () => {
  const parse = (body: Parameters<NonNullable<Provider['classify']>>[0]['body']) =>
    together.catalog?.parse({ status: 200, headers: {}, body, text: '' });
  assert.deepEqual(parse([{ id: 'a/b', type: 'chat' }, { id: '' }, 7]), [{ id: 'a/b' }]);
  assert.deepEqual(parse({ object: 'list', data: [{ id: 'c' }] }), [{ id: 'c' }]);
  assert.equal(ollama.catalog?.build({ baseUrl: 'http://gpu:11434' }).url, 'http://gpu:11434/v1/models');
  assert.equal(deepinfra.catalog?.build({ baseUrl: 'https://d/v1' }).url, 'https://d/v1/openai/models');
});

test('OLLAMA_HOST is an address whatever it leaves out', () => {
  const read = (told: string) => ollama.access?.readAddress?.(told);
  const near = 'http://127.0.0.1:11434';
  for (const told of ['0.0.0.0', '127.0.0.1', ':11434', '0.0.0.0:11434', '[::]:11434']) assert.equal(read(told), near);
  assert.equal(read('gpu'), 'http://gpu:11434');
  assert.equal(read(' gpu:80 '), 'http://gpu:80');
  for (const whole of ['https://ollama.example', 'http://ollama.example', 'http://ollama.example/v1'])
    assert.equal(read(whole), whole);
  assert.equal(read('http://gpu:11434/v1'), 'http://gpu:11434/v1');
});

test('a provider of one’s own bills nothing, makes no pictures, and needs no key', () => {
  for (const { resubmit, image, access, models, model } of [ollama, vllm, lmstudio]) {
    assert.deepEqual([resubmit, image, access?.keyless, models, model('x')], ['safe', undefined, true, [], undefined]);
  }
});

const known: readonly ChatCalls['models'][number][] = PROVIDERS.flatMap(({ chat }) => chat?.models ?? []);

test('a price that is known says what comes from the cache, and never that something is free', () => {
  for (const { id, price } of known) {
    assert.ok(price && 'perMillionTokensUsd' in price, id);
    const { textInput, cachedInput = textInput } = price.perMillionTokensUsd;
    assert.ok(textInput > 0 && cachedInput > 0 && cachedInput <= textInput, id);
  }
});
