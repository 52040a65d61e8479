import type { Io } from '@onetake/core';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { ADMIN_CALLER, createCallers, LOCAL_CALLER } from './http/callers.ts';
import { createRateLimit } from './http/rate-limit.ts';
import { openAdminKey } from './keys/admin-key.ts';
import { openKeys } from './keys/keys.ts';
import { openRequestCounts } from './keys/request-counts.ts';
import { openSessions } from './keys/session.ts';
import type { Store } from './store/store.ts';

interface AccessOptions {
  readonly store: Store;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly log: Pick<Logger, 'error'>;
}

/** Who may call, and how often: the keys of the environment, those that were made here, and the administrator's. */
export async function openAccess(
  { callers, adminKey: configured, dataDir, publicUrl }: Pick<Config, 'callers' | 'adminKey' | 'dataDir' | 'publicUrl'>,
  { store, io, log }: AccessOptions,
) {
  const adminKey = await openAdminKey(dataDir, configured);
  const keys = await openKeys({
    ...{ store, io, reserved: [...callers.map(({ name }) => name), LOCAL_CALLER, ADMIN_CALLER] },
    onError: (err) => log.error({ err }, 'the keys could not be read; they are read again'),
  });
  const counts = await openRequestCounts({
    ...{ store, io },
    onError: (err) => log.error({ err }, 'the counts of requests could not be written'),
  });
  const sessions = await openSessions(store, io.now);
  const known = { callers, adminKey, keys, sessions, now: io.now, ...(publicUrl !== undefined && { publicUrl }) };
  return {
    keys,
    sessions,
    /** What keeps the page of somebody signed in who administers without a key, while the first key is made. */
    adminSession: () => adminKey && sessions.open(ADMIN_CALLER, adminKey.digest),
    identify: createCallers(known),
    limitRate: createRateLimit({ counts, store, io }),
    async close() {
      keys.close();
      await counts.close();
    },
  };
}
