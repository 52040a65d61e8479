import { PROVIDERS, systemIo } from '@onetake/core';

type Adapter = (typeof PROVIDERS)[number];
type Calls = NonNullable<Adapter['image']>;
type Request = Parameters<Calls['submit']['build']>[0];
type Context = Parameters<Calls['submit']['build']>[1];
type Sent = ReturnType<Calls['submit']['build']>;
type Answer = Parameters<Calls['submit']['parse']>[0];
type Progress = ReturnType<Calls['submit']['parse']>;

/** More than any submit takes. */
const MAX_STEPS = 10;

/** Goes through a submit step by step, uploads and all, and gives where each request went and what came of the last. */
export async function walkSubmit(
  kind: string,
  given: Pick<Context, 'baseUrl' | 'model'>,
  request: Request,
  bytes: Uint8Array,
): Promise<{ readonly paths: readonly string[]; readonly progress: Progress }> {
  const provider = PROVIDERS.find(({ id }) => id === kind);
  const submit = provider?.image?.submit;
  if (provider === undefined || submit === undefined) throw new Error(`no adapter "${kind}"`);
  const context = { runId: 'run', attempt: 1, ...given };
  const paths: string[] = [];
  let next = submit.build(request, context);
  let state: Parameters<typeof submit.parse>[3];
  for (let step = 0; step < MAX_STEPS; step += 1) {
    paths.push(next.url.slice(context.baseUrl.length));
    const answer = await send(provider.authorize(next, { id: kind, secret: 'imitation-key' }), bytes);
    if (answer.status >= 300) throw new Error(`${next.url} answered ${answer.status}: ${answer.text}`);
    const progress = submit.parse(answer, request, context, state);
    if (progress.kind !== 'next') return { paths, progress };
    ({ request: next, state } = progress);
  }
  throw new Error(`it takes more than ${MAX_STEPS} requests`);
}

async function send(request: Sent, bytes: Uint8Array): Promise<Answer> {
  const io = systemIo();
  const chunks: Uint8Array[] = [];
  let status = 0;
  try {
    await io.send(
      request,
      {
        onStarted: () => {},
        onHeaders: (told) => {
          status = told;
        },
        onData: (chunk) => {
          chunks.push(Uint8Array.from(chunk));
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
  const text = Buffer.concat(chunks).toString('utf8');
  return { status, headers: {}, body: text === '' ? null : jsonOf(text), text };
}

function jsonOf(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
