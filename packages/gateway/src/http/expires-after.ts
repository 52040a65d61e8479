import { isObject, type JsonValue } from '@onetake/core';
import { RequestProblem } from './problem.ts';

const SECONDS = { least: 3_600, most: 2_592_000 };

/** OpenAI's `{anchor: "created_at", seconds}` in ms; undefined without one. Throws a 400 with the field's path. */
export function readExpiresAfter(param: string, value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  const { anchor, seconds } = isObject(value) ? value : {};
  const count = Number(seconds);
  if (anchor === 'created_at' && Number.isInteger(count) && count >= SECONDS.least && count <= SECONDS.most) {
    return count * 1000;
  }
  const rule = `{"anchor": "created_at", "seconds": a whole number from ${SECONDS.least} to ${SECONDS.most}}`;
  throw new RequestProblem(400, 'invalid_value', `${param}: it is not ${rule}; change it or leave it out`, { param });
}
