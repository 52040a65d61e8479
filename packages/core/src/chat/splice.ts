import type { ChatBody } from './chat.ts';
import { type MemberSpan, memberSpans, objectStart, stringOf } from './json-spans.ts';

/** The caller's words to Onetake, which no provider is sent. */
const CONTROLS = 'onetake';
/** Nobody writes a name this often in one object; a body that does is written anew instead of held in pieces. */
const MAX_SPLICES = 1_000;

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * The body for a target: every top-level `model` names `model`, every top-level `onetake` is gone with its comma, and
 * all other bytes are the caller's. The same object where nothing changes. Names written twice, or with escapes, are
 * treated alike, because providers differ in which of two they read.
 */
export function bodyFor(body: ChatBody, model: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = body.bytes;
  const json = Buffer.from(buffer, byteOffset, byteLength);
  const splices = splicesFor(json, model);
  if (splices === undefined) return Buffer.from(rewritten(body, model));
  return splices.length === 0 ? body.bytes : spliced(json, splices);
}

/** Undefined where there are too many. */
function splicesFor(json: Buffer, model: string): readonly Splice[] | undefined {
  const splices: Splice[] = [];
  /** Controls that no kept member follows yet. */
  let open: MemberSpan[] = [];
  let lastKept: MemberSpan | undefined;
  let named = false;
  for (const span of memberSpans(json)) {
    if (splices.length + open.length > MAX_SPLICES) return undefined;
    if (span.key === CONTROLS) {
      open.push(span);
      continue;
    }
    const [first] = open;
    if (first) splices.push({ from: first.start, to: span.start, text: '' });
    open = [];
    lastKept = span;
    if (span.key !== 'model') continue;
    named = true;
    if (!isNamed(json, span, model)) splices.push({ from: span.valueStart, to: span.end, text: JSON.stringify(model) });
  }
  const last = open.at(-1);
  if (last) splices.push({ from: lastKept?.end ?? open[0]?.start ?? last.start, to: last.end, text: '' });
  return named ? splices : [insertion(json, model, lastKept !== undefined), ...splices];
}

function insertion(json: Buffer, model: string, others: boolean): Splice {
  const start = objectStart(json);
  return { from: start, to: start, text: `"model":${JSON.stringify(model)}${others ? ',' : ''}` };
}

function isNamed(json: Buffer, { valueStart, end }: MemberSpan, model: string): boolean {
  return json[valueStart] === 0x22 && stringOf(json, valueStart, end) === model;
}

function spliced(json: Buffer, splices: readonly Splice[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { from, to, text } of splices) {
    pieces.push(json.subarray(at, from), Buffer.from(text));
    at = to;
  }
  return Buffer.concat([...pieces, json.subarray(at)]);
}

function rewritten({ value }: ChatBody, model: string): string {
  const { [CONTROLS]: _, ...kept } = value;
  return JSON.stringify({ ...kept, model });
}
