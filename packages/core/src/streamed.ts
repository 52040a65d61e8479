import { presentable } from './classify.ts';
import type { SseEvent } from './http.ts';
import type { Asset } from './images/asset.ts';
import type { Intake, Settled } from './images/intake.ts';
import type { JsonObject } from './json.ts';
import type { FailureReading, ImageCalls, ImageSource, Progress, ProviderImage } from './providers/provider.ts';

type ReadEvent = NonNullable<ImageCalls['stream']>;
type SendPartial = (index: number, asset: Asset, event: JsonObject) => Promise<void>;

/**
 * Folds a streamed answer into the same `Progress` a plain one gives. Partials go out as they come; a partial that
 * does not open is left out, because it is only a preview.
 */
export function createStreamedAnswer(read: ReadEvent, intake: Intake, sendPartial: SendPartial) {
  const images: ProviderImage[] = [];
  let usage: JsonObject | undefined;
  let failed: Extract<Progress, { kind: 'failed' }> | undefined;
  let used = false;

  async function onEvent(event: SseEvent): Promise<void> {
    used = true;
    const reading = read(event);
    if (reading?.kind === 'failed') failed ??= reading;
    if (reading?.kind === 'completed') {
      images.push(reading.image);
      usage = reading.usage ?? usage;
    }
    if (reading?.kind === 'partial') {
      const settled = await settleSource(intake, reading.source);
      if (settled.ok) await sendPartial(reading.index, settled.asset, reading.event);
    }
  }

  return {
    onEvent,
    /** What the events said, or undefined when the answer was not a stream after all. */
    progress(): Progress | undefined {
      if (!used) return undefined;
      if (images.length === 0) return failed ?? { kind: 'failed', failure: SILENT_END };
      return { kind: 'done', images, ...(usage && { usage }) };
    },
  };
}

const SILENT_END: FailureReading = {
  kind: 'network',
  certainty: 'ambiguous',
  message: 'the stream ended without a picture and without an error; it may have been cut off',
};

/** Verifies and stores an image whose bytes came with the answer. */
export async function settleSource(intake: Intake, source: ImageSource): Promise<Settled> {
  if (source.kind === 'blob') return intake.settle(source.blob);
  if (source.kind === 'base64') return intake.take(source.base64);
  return { ok: false, problem: 'not_an_image', detail: `the answer holds only a link, ${presentable(source.url)}` };
}
