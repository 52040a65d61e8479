import { isObject, type JsonObject } from '@onetake/core';
import type { TextLine } from './read-lines.ts';

/** What is wrong with a line of an input file; `line` counts from 1, and is null for the file as a whole. */
export interface LineFault {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly line: number | null;
}

export interface RequestLine {
  readonly customId: string;
  readonly body: JsonObject;
}

export type ReadLine =
  | { readonly ok: true; readonly request: RequestLine }
  | { readonly ok: false; readonly fault: LineFault };

export const MAX_LINE_BYTES = 1024 * 1024;
const MAX_CUSTOM_ID_CHARS = 512;

/** Reads `{custom_id, method: "POST", url, body}`. The body's fields are judged later, each by its own answer. */
export function readRequestLine({ text, number }: TextLine, endpoint: string): ReadLine {
  const faulty = (code: string, param: string | null, why: string): ReadLine => ({
    ok: false,
    fault: { code, message: `line ${number}: ${why}`, param, line: number },
  });
  if (text === undefined) {
    return faulty('line_too_long', null, `it has more than ${MAX_LINE_BYTES} bytes; link pictures, do not embed them`);
  }
  const value = parse(text);
  if (!isObject(value)) return faulty('invalid_json_line', null, 'it is not a JSON object; write one request per line');
  const { custom_id: customId, method, url, body } = value;
  if (typeof customId !== 'string' || customId === '' || customId.length > MAX_CUSTOM_ID_CHARS) {
    const rule = `a text of 1 to ${MAX_CUSTOM_ID_CHARS} characters`;
    return faulty('invalid_custom_id', 'custom_id', `custom_id is not ${rule}; name each request by one`);
  }
  if (method !== 'POST') return faulty('invalid_method', 'method', 'method is not "POST"; there is no other');
  if (url !== endpoint) {
    return faulty('invalid_url', 'url', `url is not "${endpoint}", the endpoint of the batch; make a batch of each`);
  }
  if (!isObject(body)) return faulty('invalid_body', 'body', 'body is not an object; put the request there');
  return { ok: true, request: { customId, body } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
