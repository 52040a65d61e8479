// Vercel's AI SDK, with the engine as its fetch: no server between. It plays against a sandbox of its own, which
// refuses twice before it answers, so it needs no key and pays nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import { createClient } from '@onetake/core';
import { startSandbox } from '@onetake/sandbox';
import { streamText } from 'ai';

const dataDir = await mkdtemp(join(tmpdir(), 'onetake-example-'));
const sandbox = await startSandbox({ dataDir });
const onetake = createClient({ providers: { lab: { baseUrl: `${sandbox.url}/v1` } } });
const provider = createOpenAI({ fetch: onetake.fetch, apiKey: 'unused' });

const { textStream } = streamText({
  model: provider.chat('429,429,ok'),
  prompt: 'a word on foxes',
  // This SDK repeats whatever the headers say; the engine has done so already.
  maxRetries: 0,
  onError: ({ error }) => {
    console.error(error);
    process.exitCode = 1;
  },
});
for await (const text of textStream) process.stdout.write(text);
process.stdout.write('\n');

await onetake.close();
await sandbox.close();
await rm(dataDir, { recursive: true });
