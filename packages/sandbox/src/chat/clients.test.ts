import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { MESSAGES } from '../testing/chat.ts';
import { at, sandboxFor } from '../testing/sandbox.ts';

test('the official SDK streams both APIs to their end', async (t) => {
  const { url } = await sandboxFor(t);
  const client = new OpenAI({ apiKey: 'key', baseURL: `${url}/openai/v1`, maxRetries: 0 });
  const said = await client.chat.completions.stream({ model: 'gpt-4o', messages: [...ASKED] }).finalContent();
  const response = await client.responses.stream({ model: 'gpt-4o', input: 'a red fox' }).finalResponse();
  assert.equal(response.output_text, said);
  const { data } = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'a red fox' });
  assert.equal(data[0]?.embedding.length, 1536);
});

const ASKED = [{ role: 'user', content: 'a red fox' }] as const;

test('an error in the middle of a stream reaches the official SDK with its code', async (t) => {
  const { url } = await sandboxFor(t);
  const client = new OpenAI({ apiKey: 'key', baseURL: `${url}/fault/error-mid-stream/openai/v1`, maxRetries: 0 });
  const chunks = await client.chat.completions.create({ model: 'gpt-4o', messages: [...ASKED], stream: true });
  await assert.rejects(
    async () => {
      for await (const _ of chunks);
    },
    { code: 'server_error' },
  );
});

test('the AI SDK and LangChain stream both APIs', async (t) => {
  const baseURL = `${(await sandboxFor(t)).url}/openai/v1`;
  const provider = createOpenAI({ apiKey: 'key', baseURL });
  for (const model of [provider.chat('gpt-4o'), provider.responses('gpt-4o')]) {
    const result = streamText({ model, prompt: String(MESSAGES[0]?.content) });
    assert.match(await result.text, /^You said: "a red fox"/u);
    assert.equal((await result.usage).outputTokens, 40);
  }
  for (const useResponsesApi of [false, true]) {
    const model = new ChatOpenAI({ apiKey: 'key', model: 'gpt-4o', useResponsesApi, configuration: { baseURL } });
    assert.equal(at(await model.invoke('a red fox'), 'usage_metadata.output_tokens'), 40);
  }
});
