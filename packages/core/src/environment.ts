import type { HealthBook } from './health.ts';
import type { AssetStore } from './images/asset.ts';
import type { Io } from './io.ts';
import type { Presence } from './policy/decide.ts';
import type { Credential, Provider } from './providers/provider.ts';

/** How a configured provider is reached: the adapter, its address, and the secret that only `authorize` sees. */
export interface Connection {
  /** The name before the slash in `openai/gpt-image-2`. */
  readonly id: string;
  readonly provider: Provider;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly secret: string;
}

/** What a run needs of the world. */
export interface RunEnvironment {
  readonly io: Io;
  readonly assets: AssetStore;
  readonly health: HealthBook;
  /** The connection a planned target names; undefined when the configuration lost it since. */
  readonly connection: (provider: string) => Connection | undefined;
  readonly presence: () => Presence;
  /** Ends the run: a call in flight is aborted, a wait is over. */
  readonly cancel: AbortSignal;
  /** Leaves the run where it is: a wait ends, nothing is appended, and another process takes it up. */
  readonly park: AbortSignal;
  /** Calls back when `presence` has changed; returns the unsubscribe function. */
  readonly onPresence: (callback: () => void) => () => void;
  readonly limits: RunLimits;
}

export interface RunLimits {
  readonly maxAnswerBytes: number;
  /** Decisions per run, so that no policy can loop for ever. */
  readonly maxDecisions: number;
  readonly maxDownloadTries: number;
}

export const RUN_LIMITS: RunLimits = { maxAnswerBytes: 256 * 1024 * 1024, maxDecisions: 10_000, maxDownloadTries: 3 };

export function credentialOf(connection: Connection, id: string): Credential {
  return { id, secret: connection.secret };
}
