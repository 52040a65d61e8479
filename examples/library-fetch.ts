// The official openai package, with the engine as its fetch: no server between. It plays against a sandbox of its own,
// whose first answers fail, so it needs no key and pays nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@onetake/core';
import { startSandbox } from '@onetake/sandbox';
import OpenAI from 'openai';

const dataDir = await mkdtemp(join(tmpdir(), 'onetake-example-'));
const sandbox = await startSandbox({ dataDir });
const onetake = createClient({
  providers: { lab: { baseUrl: `${sandbox.url}/v1` } },
  routes: { best: { targets: ['lab/die-before-first', 'lab/ok'] } },
  onEvent: (event) => console.log(event.type, 'target' in event ? event.target : ''),
});
// One retry loop is enough: the engine's. The key the provider is sent is the engine's too.
const openai = new OpenAI({ fetch: onetake.fetch, apiKey: 'unused', maxRetries: 0 });

try {
  const messages = [{ role: 'user' as const, content: 'a word on foxes' }];
  const stream = await openai.chat.completions.create({ model: 'best', messages, stream: true });
  for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? '');
  process.stdout.write('\n');
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  console.error(error.status, error.code, error.message);
  process.exitCode = 1;
} finally {
  await onetake.close();
  await sandbox.close();
  await rm(dataDir, { recursive: true });
}
