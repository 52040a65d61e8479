import { GATEWAY_MODEL_PREFIX, startMeasured } from './measured-gateway.ts';
import { runLoad, usageOf } from './rounds.ts';

export interface MemoryResult {
  readonly peakRssBytes: number;
  readonly failures: number;
  readonly firstFailure?: string;
}

export const PICTURES = 100;
export const PICTURE_BYTES = 8 * 1024 * 1024;
export const AIM_RSS_BYTES = 400 * 1024 * 1024;

/** The peak of a fresh gateway's resident memory while it carries `PICTURES` big pictures at the same time. */
export async function measureMemory(): Promise<MemoryResult> {
  const { gateway, close } = await startMeasured();
  try {
    const result = await runLoad({
      origin: gateway.url,
      model: `${GATEWAY_MODEL_PREFIX}png-${PICTURE_BYTES}`,
      requests: PICTURES,
      inFlight: PICTURES,
      minBytes: PICTURE_BYTES,
    });
    const { peakRssBytes } = await usageOf(gateway.process);
    const { failures, firstFailure } = result;
    return { peakRssBytes, failures, ...(firstFailure !== undefined && { firstFailure }) };
  } finally {
    await close();
  }
}
