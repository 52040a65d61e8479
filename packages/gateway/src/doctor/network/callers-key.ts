import type { DoctorWorld } from '../world.ts';

/**
 * What a call to this gateway at an address that somebody typed carries; empty where it has no key. Never the
 * administrator's: a slip of the pen would hand it to a stranger.
 */
export function callersHeaders({ env, config }: DoctorWorld): Readonly<Record<string, string>> {
  const key = env.ONETAKE_API_KEY || (config.ok ? config.config.callers[0]?.key : undefined);
  return key ? { authorization: `Bearer ${key}` } : {};
}
