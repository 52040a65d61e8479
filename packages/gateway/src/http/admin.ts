import type { FastifyRequest } from 'fastify';
import { RequestProblem } from './problem.ts';

/** A route that is for administrators alone. */
export const ADMIN = { config: { admin: true } };

/** What everybody else is told there: who may, and how to become one. */
export function adminOnly(caller: string): RequestProblem {
  const who = 'the admin key (ONETAKE_ADMIN_KEY, or admin.key in the data directory) and keys made with --admin may';
  return new RequestProblem(403, 'admin_only', `key "${caller}": this is for administrators; ${who}`);
}

/** Whose are shown; undefined for everybody's. */
export function callerSeen(
  { caller, isAdmin }: Pick<FastifyRequest, 'caller' | 'isAdmin'>,
  named?: string,
): string | undefined {
  if (isAdmin || named === caller) return named;
  if (named === undefined) return caller;
  const message = `caller: this key sees what is its own, and "${named}" is another; leave it out, or call with an administrator's key`;
  throw new RequestProblem(403, 'permission_denied', message, { param: 'caller' });
}
