import { RequestProblem } from './problem.ts';

/** A route that is for administrators alone. */
export const ADMIN = { config: { admin: true } };

/** What everybody else is told there: who may, and how to become one. */
export function adminOnly(caller: string): RequestProblem {
  const who = 'the admin key (ONETAKE_ADMIN_KEY, or admin.key in the data directory) and keys made with --admin may';
  return new RequestProblem(403, 'admin_only', `key "${caller}": this is for administrators; ${who}`);
}
