import { readLines } from './read-lines.ts';
import { type LineFault, MAX_LINE_BYTES, readRequestLine } from './request-line.ts';

export interface CheckedInput {
  readonly total: number;
  /** The first of them; with any, nothing is sent. */
  readonly faults: readonly LineFault[];
}

export const MAX_LINES = 50_000;
const MAX_FAULTS = 50;

/** Reads the whole input of a batch before anything of it is sent. */
export async function checkInput(path: string, endpoint: string): Promise<CheckedInput> {
  const faults: LineFault[] = [];
  const seen = new Set<string>();
  let total = 0;
  for await (const line of readLines(path, MAX_LINE_BYTES)) {
    total += 1;
    if (total > MAX_LINES) return { total, faults: [...faults, TOO_MANY] };
    const read = readRequestLine(line, endpoint);
    const fault = read.ok ? repeated(read.request.customId, line.number, seen) : read.fault;
    if (fault) faults.push(fault);
    if (faults.length === MAX_FAULTS) break;
  }
  return { total, faults: total === 0 ? [EMPTY] : faults };
}

function repeated(customId: string, line: number, seen: Set<string>): LineFault | undefined {
  if (!seen.has(customId)) {
    seen.add(customId);
    return undefined;
  }
  const message = `line ${line}: custom_id "${customId.slice(0, 100)}" stands on an earlier line too; give each its own`;
  return { code: 'duplicate_custom_id', message, param: 'custom_id', line };
}

const EMPTY: LineFault = {
  code: 'empty_file',
  message: 'input_file_id: the file holds no line; write one request per line',
  param: 'input_file_id',
  line: null,
};

const TOO_MANY: LineFault = {
  code: 'too_many_requests',
  message: `input_file_id: the file has more than ${MAX_LINES} lines; make several batches of it`,
  param: 'input_file_id',
  line: null,
};
