import type { ServerResponse } from 'node:http';
import type { Studio } from './draw/studio.ts';
import { delivered, type Job, makePicture, type Picture } from './pictures.ts';
import { wait } from './wait.ts';
import { envelopeOf, type Refusal } from './wire/answer.ts';
import { abandon, firstHalf } from './wire/deliver.ts';
import { base64Of, type Item, objectWithBase64, unixSeconds, usageOf } from './wire/images.ts';

/** Of a stream of Server-Sent Events. */
export const STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** One Server-Sent Event whose data is an object that says its `type` first. */
function eventOf(type: string, item: Item): Buffer[] {
  return [Buffer.from(`event: ${type}\ndata: `), ...objectWithBase64({ type }, item), Buffer.from('\n\n')];
}

/** Streams a job: each picture's previews, then the picture; a wait is spread evenly over all of them. */
export async function streamJob(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  studio: Studio,
  job: Job,
): Promise<void> {
  const { call, act } = job;
  response.writeHead(200, { ...STREAM_HEADERS, ...headers });
  response.flushHeaders();
  const stepMs = act.waits ? ((job.cue.value ?? 0) * 1000) / (call.n * (call.partialImages + 1)) : 0;
  for (let index = 0; index < delivered(job); index++) {
    for (let partial = 0; partial < call.partialImages; partial++) {
      if (!(await wait(stepMs, response))) return;
      const preview = await makePicture(studio, job, index, 2 ** (call.partialImages - partial));
      writeAll(response, partialEvent(job, preview, partial));
      if (act.connection) return abandon(response, act.connection.how);
    }
    if (!(await wait(stepMs, response))) return;
    if (act.list === 'empty') continue;
    const event = completedEvent(job, await makePicture(studio, job, index));
    writeAll(response, act.connection || act.cut ? firstHalf(event) : event);
    if (act.connection) return abandon(response, act.connection.how);
  }
  response.end();
}

/** A refusal inside a stream that began well. */
export function streamRefusal(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  refusal: Refusal,
): void {
  response.writeHead(200, { ...STREAM_HEADERS, ...headers });
  writeAll(response, eventOf('error', { fields: { ...envelopeOf(refusal) } }));
  response.end();
}

function writeAll(response: ServerResponse, pieces: readonly Buffer[]): void {
  for (const piece of pieces) response.write(piece);
}

function prefixOf({ call }: Job): string {
  return call.operation === 'edit' ? 'image_edit' : 'image_generation';
}

function partialEvent(job: Job, { bytes, format }: Picture, index: number): Buffer[] {
  const { width, height } = job.call;
  const fields = { partial_image_index: index, ...describe(job, { format, width, height }) };
  return eventOf(`${prefixOf(job)}.partial_image`, { base64: base64Of(bytes), fields });
}

function completedEvent(job: Job, picture: Picture): Buffer[] {
  const fields = { ...describe(job, picture), seed: picture.seed, usage: usageOf({ ...job.call, n: 1 }) };
  const base64 = job.act.list === 'absent' ? undefined : base64Of(picture.bytes);
  return eventOf(`${prefixOf(job)}.completed`, { ...(base64 && { base64 }), fields });
}

/** What OpenAI says about every streamed picture. */
function describe(
  { call }: Job,
  { format, width, height }: Pick<Picture, 'format' | 'width' | 'height'>,
): Record<string, unknown> {
  return {
    created_at: unixSeconds(),
    size: `${width}x${height}`,
    quality: call.quality,
    background: call.background,
    output_format: format,
  };
}
