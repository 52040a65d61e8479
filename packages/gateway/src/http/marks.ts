import type { Io, JsonObject, JsonValue } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { MAX_MARKS, type Mark } from '../store/browsing.ts';
import type { Store } from '../store/store.ts';
import { objectBody } from './image-wire.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface MarkDeps {
  readonly store: Pick<Store, 'mark'>;
  readonly io: Pick<Io, 'now'>;
}

const MARKS: readonly Mark[] = ['star', 'reject'];

/** `POST /v1/gallery/marks` `{"hash", "mark"}`: the caller's own mark of a picture; null takes it away. */
export function setMark({ store, io }: MarkDeps) {
  return async ({ body, caller, isAdmin }: Pick<FastifyRequest, 'body' | 'caller' | 'isAdmin'>) => {
    const { hash, mark } = readMark(objectBody(body));
    const whose = isAdmin ? ({ ofAnybody: true } as const) : {};
    const answer = await store.mark({ caller, hash, mark, at: io.now(), ...whose });
    if (answer === 'unknown') {
      const message = `hash: no picture "${hash}" was handed over${isAdmin ? '' : ' to this key'}; GET /v1/gallery lists them`;
      throw new RequestProblem(404, 'not_found', message, { param: 'hash' });
    }
    if (answer === 'full')
      throw invalidValue('mark', `this key has ${MAX_MARKS} marks, which is the most; take another away first`);
    return { object: 'mark', hash, mark };
  };
}

function readMark({ hash, mark, ...rest }: JsonObject): { readonly hash: string; readonly mark: Mark | null } {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    const param = unknown.slice(0, 64);
    throw new RequestProblem(400, 'unknown_parameter', `${param}: there is no such field; there is hash, mark`, {
      param,
    });
  }
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
    throw invalidValue('hash', 'it is not a SHA-256 in lower-case hexadecimal');
  return { hash, mark: markOf(mark) };
}

function markOf(value: JsonValue | undefined): Mark | null {
  if (value === null) return null;
  const mark = MARKS.find((one) => one === value);
  if (mark !== undefined) return mark;
  throw invalidValue('mark', `it is none of ${MARKS.map((one) => `"${one}"`).join(', ')} or null`);
}
