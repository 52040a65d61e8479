import type { Io } from '@onetake/core';
import type { PictureReader, Segment } from '../http/segments.ts';
import type { Store } from '../store/store.ts';
import { answeredLines } from './answered-lines.ts';
import type { Batch } from './batch.ts';
import { chatEndpointOf } from './chat-batch.ts';
import type { FileDraft, Files } from './files.ts';
import type { Held } from './held.ts';
import { type LineRecord, readLineLog } from './line-log.ts';
import { type LineEnd, type OutputLine, outputLine } from './output-line.ts';
import { readLines, type TextLine } from './read-lines.ts';
import { MAX_LINE_BYTES, readRequestLine } from './request-line.ts';
import type { LinePaths } from './run-lines.ts';

export interface WriteOutputDeps {
  readonly store: Pick<Store, 'read'>;
  readonly files: Files;
  readonly assets: PictureReader & { size(hash: string, type: string): Promise<number | undefined> };
  readonly assetsUrl: () => string;
  readonly io: Pick<Io, 'now'>;
}

export interface WrittenOutput {
  readonly counts: Batch['counts'];
  readonly written: NonNullable<Batch['written']>;
}

/** Pictures inside an output file may make it this large; those after it are links. */
const MAX_EMBEDDED_BYTES = 8 * 1024 ** 3;
const READ_AT_ONCE = 16;
const BUFFER_BYTES = 64 * 1024;

/** Writes the output and the error file under the ids the batch has for them, in the input's order; an empty one is not kept. */
export async function writeOutput(held: Held, paths: LinePaths, deps: WriteOutputDeps): Promise<WrittenOutput> {
  const batch = held.batch();
  const { total } = batch.counts;
  const output = buffered(deps.files.draft(), deps);
  const error = buffered(deps.files.draft(), deps);
  let completed = 0;
  try {
    const lines = chatEndpointOf(batch) ? answeredLines(batch, paths) : pictureLines(batch, paths, output.bytes, deps);
    for await (const line of lines) {
      if (line.file === 'output') completed += 1;
      await (line.file === 'output' ? output : error).write(line.segments);
      held.leaving.throwIfAborted();
    }
    const written: ('output' | 'error')[] = [];
    for (const [name, file] of [
      ['output', output],
      ['error', error],
    ] as const) {
      if (await file.commit(aboutFile(batch, name, deps.io.now()))) written.push(name);
    }
    return { counts: { total, completed, failed: total - completed }, written };
  } finally {
    await output.discard();
    await error.discard();
  }
}

function aboutFile(batch: Batch, name: 'output' | 'error', now: number) {
  const id = batch.files?.[name];
  if (id === undefined) throw new Error(`${batch.id} has no id for its ${name} file`);
  const filename = `${batch.id}_${name}.jsonl`;
  const { caller, outputMs } = batch;
  return { id, caller, filename, purpose: 'batch_output' as const, createdAt: now, expiresAt: now + outputMs };
}

async function* pictureLines(
  batch: Batch,
  paths: LinePaths,
  writtenBytes: () => number,
  deps: WriteOutputDeps,
): AsyncGenerator<OutputLine> {
  for await (const ends of endsOf(batch, paths, deps)) {
    for (const end of ends) yield outputLine(batch, { ...end, form: await formOf(end, writtenBytes(), deps) });
  }
}

/** Every line of the input with what became of it, some at a time. */
async function* endsOf(batch: Batch, paths: LinePaths, deps: WriteOutputDeps): AsyncGenerator<readonly LineEnd[]> {
  const log = readLineLog(paths.log);
  let some: { readonly line: TextLine; readonly record: LineRecord | undefined }[] = [];
  for await (const line of readLines(paths.input, MAX_LINE_BYTES)) {
    const { value, done } = await log.next();
    some.push({ line, record: done ? undefined : value });
    if (some.length < READ_AT_ONCE) continue;
    yield await Promise.all(some.map(({ line, record }) => endOf(batch, line, record, deps)));
    some = [];
  }
  yield await Promise.all(some.map(({ line, record }) => endOf(batch, line, record, deps)));
}

async function endOf(
  batch: Batch,
  line: TextLine,
  record: LineRecord | undefined,
  deps: WriteOutputDeps,
): Promise<LineEnd> {
  const read = readRequestLine(line, batch.endpoint);
  if (!read.ok) throw new Error(`the input of ${batch.id} changed: ${read.fault.message}`);
  const { customId, body } = read.request;
  return {
    index: line.index,
    customId,
    record,
    generation: record && 'task' in record ? await deps.store.read(record.task) : undefined,
    assetsUrl: deps.assetsUrl(),
    form: body.response_format === 'b64_json' ? 'b64_json' : 'url',
  };
}

/** A picture that the retention setting removed since, or that would make the file too large, is told as a link. */
async function formOf(end: LineEnd, bytes: number, { assets }: WriteOutputDeps): Promise<LineEnd['form']> {
  if (end.form === 'url') return 'url';
  for (const { hash, type, bytes: size } of (end.generation?.journals ?? []).flatMap(picturesOf)) {
    if (bytes + size * 2 > MAX_EMBEDDED_BYTES) return 'url';
    if ((await assets.size(hash, type)) === undefined) return 'url';
  }
  return 'b64_json';
}

function picturesOf(events: NonNullable<LineEnd['generation']>['journals'][number]) {
  return events.flatMap((event) =>
    event.type === 'finished' && event.outcome.ok ? event.outcome.images.map(({ asset }) => asset) : [],
  );
}

/** A file written in pieces of some size. */
function buffered(draft: FileDraft, { assets }: WriteOutputDeps) {
  let pieces: Buffer[] = [];
  let waiting = 0;
  const flush = async () => {
    const bytes = Buffer.concat(pieces);
    pieces = [];
    waiting = 0;
    if (bytes.length > 0) await draft.write(bytes);
  };
  const add = async (text: string) => {
    const bytes = Buffer.from(text);
    pieces.push(bytes);
    waiting += bytes.length;
    if (waiting >= BUFFER_BYTES) await flush();
  };
  const addPicture = async (asset: Exclude<Segment, string>) => {
    // Chunks come in multiples of three bytes, so their base64 joins.
    for await (const chunk of assets.read(asset)) await add(Buffer.from(chunk).toString('base64'));
  };
  return {
    bytes: () => draft.bytes() + waiting,
    async write(segments: OutputLine['segments']) {
      for (const segment of segments) await (typeof segment === 'string' ? add(segment) : addPicture(segment));
      await add('\n');
    },
    /** False when nothing was written. */
    async commit(about: Parameters<FileDraft['commit']>[0]): Promise<boolean> {
      await flush();
      if (draft.bytes() === 0) return false;
      await draft.commit(about);
      return true;
    },
    discard: () => draft.discard(),
  };
}
