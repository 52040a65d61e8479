import { isObject, type JsonValue } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { invalidValue, RequestProblem } from './problem.ts';

const MAX_CHARS = 200;

/** The query's parameters, each given once; throws a 400 for one that is none of `names`. */
export function parametersOf<Name extends string>(
  { query }: Pick<FastifyRequest, 'query'>,
  names: readonly Name[],
): Readonly<Partial<Record<Name, string>>> {
  const given: Readonly<Record<string, JsonValue | undefined>> = isObject(query) ? query : {};
  const known: Partial<Record<Name, string>> = {};
  for (const [name, value] of Object.entries(given)) {
    const own = names.find((one) => one === name);
    const param = name.slice(0, 64);
    if (own === undefined) {
      const message = `${param}: there is no such parameter here; there is ${names.join(', ')}`;
      throw new RequestProblem(400, 'unknown_parameter', message, { param });
    }
    if (typeof value !== 'string') throw invalidValue(param, 'it is given twice; give it once');
    if (value.length > MAX_CHARS) throw invalidValue(param, `it is longer than ${MAX_CHARS} characters`);
    known[own] = textWithoutNul(value, param);
  }
  return known;
}

/** Refuses U+0000, which no name and no stored text holds, and which PostgreSQL takes in no question. */
export function textWithoutNul<Text extends string | undefined>(text: Text, param: string): Text {
  if (text?.includes('\0')) throw invalidValue(param, 'it holds the character U+0000; leave it out');
  return text;
}

/** The names in the path of a route, as decoded. */
export function checkPath({ params }: Pick<FastifyRequest, 'params'>): void {
  for (const [name, value] of Object.entries(isObject(params) ? params : {}))
    if (typeof value === 'string') textWithoutNul(value, name);
}
