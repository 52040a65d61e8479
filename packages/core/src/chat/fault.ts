import type { Failure } from '../failure.ts';
import type { JsonValue } from '../json.ts';

/** What is wrong with a request, and where: `messages[2].content[0].image_url.url`. The codes are OpenAI's own. */
export interface Fault {
  readonly param: string;
  readonly code: 'missing_required_parameter' | 'invalid_type' | 'invalid_value' | 'empty_array' | 'empty_string';
  readonly message: string;
}

const MAX_SHOWN_CHARS = 60;

/** A fault as what ends the request before anything is sent. */
export function faultFailure({ param, code, message }: Fault): Failure {
  return { kind: 'invalid', certainty: 'not_sent', message, param, code };
}

export function missing(param: string, wanted: string): Fault {
  return { param, code: 'missing_required_parameter', message: `${param} is missing; give ${wanted}` };
}

/** `missing` where nothing stands there, else that it is of another type than `wanted`. */
export function wrongType(param: string, value: JsonValue | undefined, wanted: string): Fault {
  if (value === undefined) return missing(param, wanted);
  return { param, code: 'invalid_type', message: `${param} is ${typeName(value)}; give ${wanted}` };
}

export function wrongValue(param: string, value: string, rule: string): Fault {
  return { param, code: 'invalid_value', message: `${param} is "${shown(value)}"; ${rule}` };
}

export function emptyArray(param: string, wanted: string): Fault {
  return { param, code: 'empty_array', message: `${param} is an empty array; give ${wanted}` };
}

/** Undefined where `value` is a string that holds something. */
export function notFilled(param: string, value: JsonValue | undefined, wanted: string): Fault | undefined {
  if (typeof value !== 'string') return wrongType(param, value, wanted);
  return value === ''
    ? { param, code: 'empty_string', message: `${param} is an empty string; give ${wanted}` }
    : undefined;
}

/** Undefined where `value` is a string, empty or not. */
export function notString(param: string, value: JsonValue | undefined, wanted = 'a string'): Fault | undefined {
  return typeof value === 'string' ? undefined : wrongType(param, value, wanted);
}

/** The first fault among the members of an array, whose path is given as `param[index]`. */
export function firstFault(
  param: string,
  values: readonly JsonValue[],
  faultOf: (value: JsonValue, param: string) => Fault | undefined,
): Fault | undefined {
  for (let index = 0; index < values.length; index += 1) {
    const fault = faultOf(values[index] ?? null, `${param}[${index}]`);
    if (fault) return fault;
  }
  return undefined;
}

function typeName(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The front of a value, on one line, short enough that no key and no picture is in it whole. */
function shown(value: string): string {
  const front = value.slice(0, MAX_SHOWN_CHARS).replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return value.length > MAX_SHOWN_CHARS ? `${front.toWellFormed()}…` : front.toWellFormed();
}
