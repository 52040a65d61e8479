import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import PQueue from 'p-queue';
import { removeDirectory, temporaryDirectory } from '../tests/rig/directories.ts';
import { ONETAKE, startGateway } from '../tests/rig/gateway.ts';
import { runFile } from '../tests/rig/processes.ts';

/** A batch: so many small pictures, one per request, of a model of the sandbox. */
export interface PacedBatch {
  readonly pictures: number;
  readonly model: string;
}

/** Resolves with how many pictures it got. */
export type Contender = (sandboxUrl: string, batch: PacedBatch) => Promise<number>;

/** What a person sets who does not know the limit. */
export const QUEUE_CONCURRENCY = 8;
const SIZE = '64x48';
const BATCH_TIMEOUT_MS = 900_000;

/** `onetake batch` through a gateway that nobody told a limit. */
export const throughOnetake: Contender = async (sandboxUrl, { pictures, model }) => {
  const yaml = `providers:\n  lab: { kind: openai-compatible, base_url: "${sandboxUrl}/v1" }\nsandbox: off\n`;
  const gateway = await startGateway({ yaml });
  const directory = temporaryDirectory();
  try {
    writeFileSync(join(directory, 'prompts.txt'), prompts(pictures).join('\n'));
    const args = ['batch', 'prompts.txt', '--model', `lab/${model}`, '--size', SIZE, '--out', 'out'];
    const batch = runFile(ONETAKE, args, { cwd: directory, env: { ONETAKE_URL: gateway.url } });
    const code = await batch.ended(BATCH_TIMEOUT_MS);
    if (code !== 0) process.stderr.write(`onetake batch ended with ${code}:\n${batch.stdout()}${batch.stderr()}`);
    return JSON.parse(readFileSync(join(directory, 'out', 'report.json'), 'utf8')).pictures;
  } finally {
    await gateway.close();
    removeDirectory(directory);
  }
};

/** p-queue around the official SDK, whose own retries are as they come. */
export const throughQueue: Contender = async (sandboxUrl, { pictures, model }) => {
  const client = new OpenAI({ baseURL: `${sandboxUrl}/v1`, apiKey: 'any', logLevel: 'off' });
  const queue = new PQueue({ concurrency: QUEUE_CONCURRENCY });
  const ask = (prompt: string) => client.images.generate({ model, prompt, size: SIZE as '1024x1024' });
  const settled = await Promise.allSettled(prompts(pictures).map((prompt) => queue.add(() => ask(prompt))));
  return settled.filter(({ status }) => status === 'fulfilled').length;
};

function prompts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `paced fox ${index}`);
}
