import type { Failure } from './failure.ts';
import type { HealthBook } from './health.ts';
import type { Asset, AssetStore } from './images/asset.ts';
import type { Io } from './io.ts';
import type { Outcome } from './journal.ts';
import type { Spend } from './ledger.ts';
import type { Claim, Delay, Turn } from './pacing.ts';
import type { Plan, PlannedTarget, RunPlan } from './plan.ts';
import type { MilderWords } from './policy/milder-words.ts';
import type { Presence } from './policy/presence.ts';
import type { Credential, Provider } from './providers/provider.ts';
import type { Look, Unseen } from './suspects.ts';

/** How a configured provider is reached: the adapter, its address, and the secret that only `authorize` sees. */
export interface Connection {
  /** The name before the slash in `openai/gpt-image-2`. */
  readonly id: string;
  readonly provider: Provider;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly secret: string;
  /** The secrets of a pool, by credential; they stand in for `secret`. */
  readonly pool?: Readonly<Record<string, string>>;
  /** The addresses of a pool of servers, by credential; they stand in for `baseUrl`. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** It can fetch our stored pictures by their links. */
  readonly fetches?: boolean;
}

/** Where a run gets permission for its attempts, in its place among all that wait. */
export interface Turns {
  /** Undefined when `signal` ended the wait. `avoid`: credentials to use only without others, the last one least. */
  take(target: PlannedTarget, claim: Claim, signal: AbortSignal, avoid?: readonly string[]): Promise<Turn | undefined>;
  /** The turn of a job that is in flight already. */
  adopt(target: PlannedTarget, credential: string): Turn;
  /** When a turn asked for now would be given; undefined for at once. */
  expect(target: PlannedTarget, claim: Claim): Delay | undefined;
}

/** What a run needs of the world. */
export interface RunEnvironment {
  readonly io: Io;
  readonly assets: AssetStore;
  readonly health: HealthBook;
  readonly turns: Turns;
  /** The connection a planned target names; undefined when the configuration lost it since. */
  readonly connection: (provider: string) => Connection | undefined;
  readonly presence: () => Presence;
  /** Ends the run: a call in flight is aborted, a wait is over. */
  readonly cancel: AbortSignal;
  /** Leaves the run where it is: a wait ends, nothing is appended, and another process takes it up. */
  readonly park: AbortSignal;
  /** Calls back when `presence` has changed; returns the unsubscribe function. */
  readonly onPresence: (callback: () => void) => () => void;
  /** Calls back when the provider of an open job said that it has news; returns the unsubscribe function. */
  readonly onNews?: (callback: () => void) => () => void;
  /** Where a provider may say so, by run; undefined where it cannot reach us. */
  readonly webhookUrl?: (runId: string, connection: Connection) => string | undefined;
  /** What links to stored pictures begin with, where this provider can reach us. */
  readonly assetsUrl?: (connection: Connection) => string | undefined;
  /** Decodes and measures a stored picture, bounded in time; never rejects. Without it only what needs no decoding is found. */
  readonly look?: (asset: Asset) => Promise<Look | Unseen>;
  /** Writes a stored picture in another format and stores that; undefined where it cannot be, or would lose something. */
  readonly convert?: (asset: Asset, type: Asset['type']) => Promise<Asset | undefined>;
  /** Asks a chat model for milder words after a refusal; never rejects. Without it a ladder has none to ask. */
  readonly rewriteWith?: (asked: RewriteAsked, signal: AbortSignal) => Promise<MilderWords>;
  /** Keeps repeats to a share of all calls; without it only the policy bounds them. */
  readonly repeats?: Repeats;
  /**
   * Reserves what the run will have cost with its next attempt, before anything of that is sent; resolves with why the
   * caller may not spend that (`budget`, with its reset as `notBefore`), and then nothing is reserved beyond what was.
   */
  readonly afford?: (spend: Spend) => Promise<Failure | undefined>;
  /** What ties the calls of an attempt to a trace: headers for its provider alone, the same after a restart. */
  readonly traceHeaders?: (runId: string, attempt: number, plan: RunPlan) => Readonly<Record<string, string>>;
  readonly limits: RunLimits;
}

/** What a chat model is to say otherwise. */
export interface RewriteAsked {
  /** As the configuration names it. */
  readonly model: string;
  readonly plan: Plan;
  /** The words that were refused. */
  readonly prompt: string;
  readonly failure: Failure;
  /** The refused one. */
  readonly attempt: number;
}

/** How many attempts may be repeats, so that a provider in trouble is not called more for it. One per client or gateway. */
export interface Repeats {
  /** Takes what one more attempt of a run costs at this target, after that failure; false where it has no more to give. */
  allow(target: string, after: Failure): boolean;
  /** An attempt was sent; the function returned is called once with how it ended. */
  began(target: string, isRepeat: boolean): (outcome: Outcome) => void;
}

export interface RunLimits {
  readonly maxAnswerBytes: number;
  /** Decisions per run, so that no policy can loop for ever; looks at an accepted job are bounded by its deadline instead. */
  readonly maxDecisions: number;
  readonly maxDownloadTries: number;
  /** Of one picture that is fetched by its link, with all tries and redirects. */
  readonly maxDownloadMs: number;
  readonly maxResultBytes: number;
}

export const RUN_LIMITS: RunLimits = {
  maxAnswerBytes: 256 * 1024 * 1024,
  maxDecisions: 10_000,
  maxDownloadTries: 3,
  maxDownloadMs: 300_000,
  maxResultBytes: 64 * 1024 * 1024,
};

export function credentialOf(connection: Connection, id: string): Credential {
  return { id, secret: connection.pool?.[id] ?? connection.secret };
}

/** Names the hosts of a pool, or its keys; undefined where a connection has one of each. */
export function poolOf({ hosts, pool }: Connection): readonly string[] | undefined {
  const named = hosts ?? pool;
  return named && Object.keys(named);
}

/** Names a server of a pool: `comfyui:a:8188`. */
export function hostCredential(provider: string, baseUrl: string): string {
  const { hostname, port, protocol } = new URL(baseUrl);
  return `${provider}:${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

const HOST_CREDENTIAL = /:\d{1,5}$/;

/**
 * The connection as this credential has it, with its own address; undefined where the credential names a server that is
 * not configured any more, because another one knows nothing of its jobs.
 */
export function connectionAt(connection: Connection, credential: string): Connection | undefined {
  const { id, hosts } = connection;
  const isHost = credential.startsWith(`${id}:`) && HOST_CREDENTIAL.test(credential);
  if (!isHost) return connection;
  const baseUrl = hosts ? hosts[credential] : connection.baseUrl;
  if (baseUrl === undefined || hostCredential(id, baseUrl) !== credential) return undefined;
  return { ...connection, baseUrl };
}

/** A target with those of its servers that are still configured, or where none is left with those that are now. */
export function withHostsOf(connection: Connection | undefined, target: PlannedTarget): PlannedTarget {
  if (connection?.hosts === undefined) return target;
  const now = Object.keys(connection.hosts);
  const left = now.filter((host) => target.credentials?.includes(host));
  return { ...target, credentials: left.length > 0 ? left : now };
}
