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

/** The sandbox notes an arrival when its process gets the processor: 0.25 % of a minute, and more of a short window. */
const NOTED_LATE_MS = 150;
const NOTED_LATE_SHARE = 0.05;
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
      mostInAnyWindow: mostInAnyWindow(entries, windowMs - Math.min(NOTED_LATE_MS, windowMs * NOTED_LATE_SHARE)),
      refusedCallers: answers.filter(({ status }) => status === 429).length,
      tookMs: performance.now() - startedAt,
    };
  } finally {
    await gateway.close();
    await sandbox.close();
  }
}
