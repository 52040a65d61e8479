import { type FileHandle, open } from 'node:fs/promises';
import { readAnswerLog } from './answer-log.ts';
import type { Batch } from './batch.ts';
import { type OutputLine, unanswered } from './output-line.ts';
import { readLines } from './read-lines.ts';
import { MAX_LINE_BYTES, readRequestLine } from './request-line.ts';
import type { LinePaths } from './run-lines.ts';

/** Every line of a batch of chat with its answer, in the input's order; one answer at a time is in memory. */
export async function* answeredLines(
  batch: Batch,
  { input, answers }: Pick<LinePaths, 'input' | 'answers'>,
): AsyncGenerator<OutputLine> {
  const places = await placesIn(answers, batch.counts.total);
  const file = places.found > 0 ? await open(answers) : undefined;
  try {
    for await (const line of readLines(input, MAX_LINE_BYTES)) {
      const place = places.of(line.index);
      if (file && place) {
        yield { file: place.file, segments: [await textAt(file, place)] };
        continue;
      }
      const read = readRequestLine(line, batch.endpoint);
      if (!read.ok) throw new Error(`the input of ${batch.id} changed: ${read.fault.message}`);
      yield unanswered(batch, { index: line.index, customId: read.request.customId }, withoutAnswer(batch));
    }
  } finally {
    await file?.close();
  }
}

interface Place {
  readonly file: OutputLine['file'];
  readonly offset: number;
  readonly bytes: number;
}

const [OUTPUT, ERROR] = [1, 2];

/** Where the answer to each line lies: the first where there are two. */
async function placesIn(path: string, total: number) {
  const files = new Uint8Array(total);
  const offsets = new Float64Array(total);
  const sizes = new Uint32Array(total);
  let found = 0;
  for await (const { index, file, offset, bytes } of readAnswerLog(path)) {
    if (files[index] !== 0) continue;
    files[index] = file === 'output' ? OUTPUT : ERROR;
    offsets[index] = offset;
    sizes[index] = bytes;
    found += 1;
  }
  const of = (index: number): Place | undefined => {
    const file = files[index] === OUTPUT ? 'output' : 'error';
    return files[index] ? { file, offset: offsets[index] ?? 0, bytes: sizes[index] ?? 0 } : undefined;
  };
  return { found, of };
}

async function textAt(file: FileHandle, { offset, bytes }: Place): Promise<string> {
  const text = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(text, 0, bytes, offset);
  if (bytesRead < bytes) throw new Error(`the log of answers ends ${bytes - bytesRead} bytes early`);
  return text.toString('utf8');
}

function withoutAnswer({ status }: Batch) {
  return status === 'cancelling'
    ? { code: 'batch_cancelled', message: 'This request has no answer: the batch was canceled before there was one.' }
    : {
        code: 'batch_expired',
        message: 'This request has no answer: the completion window ended before there was one.',
      };
}
