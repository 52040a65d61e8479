import { parseAddress } from '../../config/environment.ts';
import { loadConfig } from '../../config.ts';
import type { CliContext } from '../context.ts';

/**
 * Whose memory a command talks to: the address of a gateway that is named, else where a gateway of this machine keeps
 * its data. Two that differ do not know each other's tasks and keys. Never holds a password.
 */
export function gatewayName({ env, cwd }: CliContext): string {
  if (env.ONETAKE_URL) return parseAddress(env.ONETAKE_URL)?.replace(/\/v1$/, '') ?? env.ONETAKE_URL;
  const { databaseUrl, dataDir } = loadConfig({ env, cwd });
  if (databaseUrl === undefined) return dataDir;
  const { protocol, host, pathname } = new URL(databaseUrl);
  return `${protocol}//${host}${pathname}`;
}
