import { isObject, type JsonObject } from '@onetake/core';
import { readControls } from '../../http/controls.ts';
import { readImageWire } from '../../http/image-wire.ts';
import { RequestProblem } from '../../http/problem.ts';
import type { InputLine, LineProblem } from './line.ts';

const PICTURE_FIELDS = ['image', 'image[]', 'images', 'mask'];

/** Usual paid attempts of a request, as the gateway's `payment: standard`. */
const USUAL_PAID_ATTEMPTS = 2;

/** The body of a line's request: what the command says of all lines, and over it what the line says. */
export function bodyOf({ input }: Pick<InputLine, 'input'>, fields: JsonObject): JsonObject {
  const { response_format: _always, ...own } = input;
  const controls =
    isObject(fields.onetake) && isObject(own.onetake) ? { ...fields.onetake, ...own.onetake } : undefined;
  return { ...fields, ...own, ...(controls && { onetake: controls }) };
}

/** What the gateway would refuse this line for, by the rules it reads requests with; undefined when nothing. */
export function problemOf(line: InputLine, fields: JsonObject): LineProblem | undefined {
  if (line.problem) return line.problem;
  const body = bodyOf(line, fields);
  const picture = PICTURE_FIELDS.find((name) => body[name] !== undefined && body[name] !== null);
  if (picture !== undefined)
    return invalid(`${picture}: a batch generates and does not edit; use onetake generate --image, or leave it out`);
  if (body.stream === true) return invalid('stream: nobody watches a batch; leave it out');
  if (typeof body.model !== 'string' || body.model === '')
    return {
      code: 'missing_required_parameter',
      message: 'model: it is missing; name one in the line or with --model',
    };
  try {
    readControls({}, readImageWire('generate', body).controlsBody, { fromBrowser: false });
    return undefined;
  } catch (error) {
    if (error instanceof RequestProblem) return { code: error.code, message: error.message };
    throw error;
  }
}

/** How many pictures a line asks for. */
export function picturesOf(body: JsonObject): number {
  return typeof body.n === 'number' ? body.n : 1;
}

/** How many attempts of a line may be billed, where it says so itself; else as usual. */
export function paidAttemptsOf(body: JsonObject): number {
  const { settings } = readControls({}, body.onetake, { fromBrowser: false });
  return settings.payment === 'strict' ? 1 : (settings.maxPaidAttempts ?? USUAL_PAID_ATTEMPTS);
}

function invalid(message: string): LineProblem {
  return { code: 'invalid_value', message };
}
