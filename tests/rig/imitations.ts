import type { TestContext } from 'node:test';
import { createClient, type ImageResult, OnetakeError, PROVIDERS, systemIo } from '@onetake/core';
import { type Sandbox, startSandbox } from '@onetake/sandbox';
import { removeDirectory, temporaryDirectory } from './directories.ts';

type Params = Parameters<ReturnType<typeof createClient>['images']['generate']>[0];
type Failure = OnetakeError['failure'];

/** The sandbox in this process, gone when the test is. */
export async function sandboxFor(t: Pick<TestContext, 'after'>): Promise<Sandbox> {
  const dataDir = temporaryDirectory();
  const sandbox = await startSandbox({ dataDir });
  t.after(async () => {
    await sandbox.close();
    removeDirectory(dataDir);
  });
  return sandbox;
}

/** Where an imitation is, going wrong as `script` says. */
export function imitationUrl({ url }: Sandbox, path: string, script?: string): string {
  return script === undefined ? `${url}/${path}` : `${url}/fault/${script}/${path}`;
}

/** One request of the library to an imitation by the adapter `kind`, never paid for twice. */
export async function askAdapter(
  kind: string,
  baseUrl: string,
  params: Params,
  apiKey = 'imitation-key',
): Promise<ImageResult> {
  const client = createClient({ providers: { imitated: { kind, baseUrl, apiKey } } });
  try {
    return await client.images.generate({
      ...params,
      model: `imitated/${params.model}`,
      policy: { maxPaidAttempts: 1, totalTimeoutMs: 20_000, ...params.policy },
    });
  } finally {
    await client.close();
  }
}

/** The failure that such a request ends in. */
export async function failureOfAdapter(...asked: Parameters<typeof askAdapter>): Promise<Failure> {
  try {
    await askAdapter(...asked);
  } catch (error) {
    if (error instanceof OnetakeError) return error.failure;
    throw error;
  }
  throw new Error('it ended in a picture');
}

/** Sends what the adapter makes of an edit, and gives the answer's status and text: the client stores no references. */
export async function sendEdit(
  kind: string,
  context: { readonly baseUrl: string; readonly model: string },
  request: Omit<Params, 'model' | 'policy' | 'signal' | 'operation'>,
  bytes: Uint8Array,
): Promise<{ readonly status: number; readonly body: string }> {
  const provider = PROVIDERS.find(({ id }) => id === kind);
  const built = provider?.image?.submit.build(
    { n: 1, ...request, operation: 'edit' },
    { runId: 'run', attempt: 1, ...context },
  );
  if (provider === undefined || built === undefined) throw new Error(`no adapter "${kind}"`);
  const io = systemIo();
  const answer = { status: 0, chunks: [] as Uint8Array[] };
  try {
    await io.send(
      provider.authorize(built, { id: kind, secret: 'imitation-key' }),
      {
        onStarted: () => {},
        onHeaders: (status) => {
          answer.status = status;
        },
        onData: (chunk) => {
          answer.chunks.push(Uint8Array.from(chunk));
        },
      },
      {
        signal: AbortSignal.timeout(10_000),
        connectTimeoutMs: 1_000,
        reach: 'configured',
        readAsset: async function* () {
          yield bytes;
        },
      },
    );
  } finally {
    await io.close();
  }
  return { status: answer.status, body: Buffer.concat(answer.chunks).toString('utf8') };
}
