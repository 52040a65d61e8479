import { type Io, isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Store } from '../store/store.ts';
import { digestOf, KEY_PREFIX, makeKey } from './admin-key.ts';
import type { Keys, ManagedKey } from './key.ts';

/** What is asked for when a key is made. */
export type NewKey = Omit<ManagedKey, 'digest' | 'hint' | 'createdAt' | 'revokedAt'>;

export type CreatedKey =
  /** `secret` is the key itself: nobody has it again. */
  | { readonly kind: 'created'; readonly key: ManagedKey; readonly secret: string }
  | { readonly kind: 'name_taken' }
  | { readonly kind: 'too_many' };

/** The keys with what changes them. */
export interface ManagedKeys extends Keys {
  /** Resolves when the key survives power loss. */
  create(wanted: NewKey): Promise<CreatedKey>;
  /** Ends a key for good, once; undefined where there is none of this name. */
  revoke(name: string): Promise<ManagedKey | undefined>;
  /** Whether a browser key that can be used is for pages of this origin. */
  hasOrigin(origin: string, now: number): boolean;
  close(): void;
}

export interface KeysOptions {
  readonly store: Pick<Store, 'readCells' | 'readCell' | 'swapCell' | 'onChange' | 'ownership'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** Names of callers whose keys are not made here. */
  readonly reserved: readonly string[];
  readonly onError: (error: unknown) => void;
  /** Default: 256 bits of the system's randomness. */
  readonly makeSecret?: () => string;
}

/** Revoked and expired ones count: a name is never given twice, so that what was paid under it stays one caller's. */
export const MAX_KEYS = 10_000;
const PREFIX = 'key/';
const HINT_CHARACTERS = 4;
const REREAD_EVERY_MS = 30_000;
const MAX_SWAPS = 100;

/**
 * Keys as cells `key/<name>` of the store, all of them in memory, by digest and by name. Other nodes' changes arrive as
 * the store tells of them, and by reading everything again twice a minute. Throws where a reserved name has a key.
 */
export async function openKeys(options: KeysOptions): Promise<ManagedKeys> {
  const { store, io, reserved, onError, makeSecret = makeKey } = options;
  const book = createBook();
  await readAll();
  const clash = reserved.find((name) => book.named(name) !== undefined);
  if (clash !== undefined)
    throw new Error(
      `ONETAKE_API_KEYS: "${clash}" is the name of a key that "onetake keys create" made; rename the entry, since names are never given twice`,
    );
  let isClosed = false;
  let stopTimer = () => {};
  const stopListening = store.onChange((change) => {
    if (change.kind === 'cell' && change.key.startsWith(PREFIX)) void readOne(change.key).catch(onError);
  });
  if (store.ownership === 'shared') rereadLater();

  async function readAll() {
    for (const { value, version } of await store.readCells(PREFIX)) book.put(value, version);
  }

  async function readOne(cellKey: string) {
    const cell = await store.readCell(cellKey);
    if (cell) book.put(cell.value, cell.version);
    return cell;
  }

  function rereadLater() {
    stopTimer = io.timer(io.now() + REREAD_EVERY_MS, () => {
      void readAll()
        .catch(onError)
        .finally(() => {
          if (!isClosed) rereadLater();
        });
    });
  }

  return {
    ...book,
    async create(wanted) {
      if (reserved.includes(wanted.name) || book.named(wanted.name)) return { kind: 'name_taken' };
      if (book.list().length >= MAX_KEYS) return { kind: 'too_many' };
      const secret = makeSecret();
      const hint = secret.slice(0, KEY_PREFIX.length + HINT_CHARACTERS);
      const key: ManagedKey = { ...wanted, digest: digestOf(secret), hint, createdAt: io.now() };
      if (!(await store.swapCell(PREFIX + key.name, 0, wireOf(key)))) {
        await readOne(PREFIX + key.name);
        return { kind: 'name_taken' };
      }
      book.put(wireOf(key), 1);
      return { kind: 'created', key, secret };
    },
    async revoke(name) {
      for (let swaps = 0; swaps < MAX_SWAPS; swaps += 1) {
        const cell = await readOne(PREFIX + name);
        const known = book.named(name);
        if (cell === undefined || known === undefined || known.revokedAt !== undefined) return known;
        const revoked = wireOf({ ...known, revokedAt: io.now() });
        if (await store.swapCell(PREFIX + name, cell.version, revoked)) book.put(revoked, cell.version + 1);
      }
      throw new Error(`the key "${name}" changed ${MAX_SWAPS} times while it was being revoked`);
    },
    close() {
      isClosed = true;
      stopTimer();
      stopListening();
    },
  };
}

/** What is known of the keys. A value that is older than the known one, or no key, changes nothing. */
function createBook() {
  const byName = new Map<string, { readonly key: ManagedKey; readonly version: number }>();
  const byDigest = new Map<string, ManagedKey>();
  /** Keys that nobody revoked: an expiry alone never opens a gateway to everybody. */
  const unrevoked = new Set<string>();
  let originEnds: Map<string, number> | undefined;

  function put(value: JsonValue, version: number) {
    const key = storedKey(value);
    if (key === undefined || (byName.get(key.name)?.version ?? 0) >= version) return;
    byName.set(key.name, { key, version });
    byDigest.set(key.digest, key);
    if (key.revokedAt === undefined) unrevoked.add(key.name);
    else unrevoked.delete(key.name);
    if (key.browser) originEnds = undefined;
  }

  return {
    put,
    find: (digest: string) => byDigest.get(digest),
    named: (name: string) => byName.get(name)?.key,
    list: () => [...byName.values()].map(({ key }) => key),
    areInUse: () => unrevoked.size > 0,
    hasOrigin(origin: string, now: number) {
      originEnds ??= endsOf([...unrevoked].flatMap((name) => byName.get(name)?.key ?? []));
      return now < (originEnds.get(origin) ?? 0);
    },
  };
}

/** Until when some browser key opens the gateway to pages of an origin. */
function endsOf(keys: readonly ManagedKey[]): Map<string, number> {
  const ends = new Map<string, number>();
  for (const { browser, expiresAt = Number.POSITIVE_INFINITY } of keys)
    for (const origin of browser?.origins ?? []) ends.set(origin, Math.max(expiresAt, ends.get(origin) ?? 0));
  return ends;
}

function wireOf(key: ManagedKey): JsonObject {
  return JSON.parse(JSON.stringify(key));
}

/** A cell is read as the `ManagedKey` that was written; what lacks the parts that identify it is none. */
function storedKey(value: JsonValue): ManagedKey | undefined {
  if (!isObject(value) || typeof value.name !== 'string' || typeof value.digest !== 'string') return undefined;
  // Written by `create` and `revoke` alone.
  return value as unknown as ManagedKey;
}
