import { generate } from '../tests/rig/call.ts';
import { startGateway } from '../tests/rig/gateway.ts';
import { mostInAnyWindow, readLedger } from '../tests/rig/ledger.ts';
import { startSandbox } from '../tests/rig/sandbox.ts';

export interface KeptLimit {
  readonly pictures: number;
  readonly mostInAnyWindow: number;
  /** Answers to callers that were 429. */
  readonly refusedCallers: number;
  readonly tookMs: number;
}

const CALLER_TIMEOUT_MS = 900_000;

/** So many calls at once at a limit that the gateway was told and the provider does not enforce. */
export async function keepLimit(requests: number, count: number, windowMs: number): Promise<KeptLimit> {
  const sandbox = await startSandbox();
  const yaml = [
    'providers:',
    `  lab: { kind: openai-compatible, base_url: "${sandbox.url}/v1" }`,
    'limits:',
    `  "lab/*": { images: ${count}/${windowMs}ms }`,
    'sandbox: off',
    '',
  ].join('\n');
  const gateway = await startGateway({ yaml });
  try {
    const startedAt = performance.now();
    const ask = (_: unknown, index: number) =>
      generate(gateway.url, { model: 'lab/ok', prompt: `kept fox ${index}` }, { timeoutMs: CALLER_TIMEOUT_MS });
    const answers = await Promise.all(Array.from({ length: requests }, ask));
    const { entries } = await readLedger(sandbox.url);
    return {
      pictures: answers.filter(({ status, body }) => status === 200 && body.data?.length === 1).length,
      mostInAnyWindow: mostInAnyWindow(entries, windowMs),
      refusedCallers: answers.filter(({ status }) => status === 429).length,
      tookMs: performance.now() - startedAt,
    };
  } finally {
    await gateway.close();
    await sandbox.close();
  }
}
