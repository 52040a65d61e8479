import type { Store } from '../store/store.ts';

/**
 * Which results never reached anybody, so that the caller's next identical request is given what was already paid
 * for. An entry is claimed by exactly one request.
 */
export interface Undelivered {
  /** The caller of this generation is gone for certain: its next identical request takes it over. */
  lost(entry: UndeliveredEntry): void;
  /** The answer was written and nothing speaks against its arrival yet; only a proven retry may claim it. */
  unconfirmed(entry: UndeliveredEntry): void;
  /** It arrived, or somebody else has it. */
  remove(id: string): void;
  /** `provenRetry`: the client itself says that it is repeating a request whose answer it did not get. */
  claim(
    caller: string,
    fingerprint: string,
    provenRetry: boolean,
    now: number,
  ): UndeliveredEntry | undefined | Promise<UndeliveredEntry | undefined>;
}

export interface UndeliveredEntry {
  readonly id: string;
  readonly caller: string;
  readonly fingerprint: string;
  /** When its answer was ready or its caller left, whichever was later (epoch ms). */
  readonly since: number;
}

export interface UndeliveredOptions {
  readonly windowMs: number;
  /** Entries kept at most; the oldest is forgotten. */
  readonly maxEntries: number;
}

/** In memory, rebuilt from the store at start: for a store whose lock proves that one process owns it. */
export function createUndelivered({ windowMs, maxEntries }: UndeliveredOptions): Undelivered {
  const entries = new Map<string, UndeliveredEntry & { state: 'lost' | 'unconfirmed' }>();
  const byRequest = new Map<string, Set<string>>();

  function add(entry: UndeliveredEntry, state: 'lost' | 'unconfirmed'): void {
    remove(entry.id);
    entries.set(entry.id, { ...entry, state });
    const request = requestOf(entry.caller, entry.fingerprint);
    byRequest.set(request, (byRequest.get(request) ?? new Set()).add(entry.id));
    const oldest = entries.keys().next();
    if (entries.size > maxEntries && !oldest.done) remove(oldest.value);
  }

  function remove(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    const request = requestOf(entry.caller, entry.fingerprint);
    const ids = byRequest.get(request);
    ids?.delete(id);
    if (ids?.size === 0) byRequest.delete(request);
  }

  return {
    lost: (entry) => add(entry, 'lost'),
    unconfirmed: (entry) => add(entry, 'unconfirmed'),
    remove,
    claim(caller, fingerprint, provenRetry, now) {
      const ids = [...(byRequest.get(requestOf(caller, fingerprint)) ?? [])];
      for (const id of ids) if (now - (entries.get(id)?.since ?? 0) > windowMs) remove(id);
      const stateOf = (id: string) => entries.get(id)?.state;
      const found =
        ids.find((id) => stateOf(id) === 'lost') ??
        (provenRetry ? ids.find((id) => stateOf(id) === 'unconfirmed') : undefined);
      const entry = found === undefined ? undefined : entries.get(found);
      if (entry) remove(entry.id);
      return entry;
    },
  };
}

/** An answer is certain to have arrived, or not, this long after it was written. */
const SETTLED_MS = 10_000;

/**
 * In the store, for nodes that share one: whoever is asked next knows what any of them lost. An answer that was written
 * and not yet confirmed is only known to its own node; others see it as lost when the time to confirm it is over.
 */
export function createSharedUndelivered(
  store: Pick<Store, 'markLost' | 'claimLost'>,
  { windowMs, onError }: { readonly windowMs: number; readonly onError: (error: unknown) => void },
): Undelivered {
  return {
    lost: ({ id, since }) => void store.markLost([id], since).catch(onError),
    unconfirmed: () => {},
    remove: () => {},
    async claim(caller, fingerprint, provenRetry, now) {
      const settledBefore = provenRetry ? now : now - SETTLED_MS;
      const wanted = { caller, fingerprint, since: now - windowMs, settledBefore, now };
      const id = await store.claimLost(wanted);
      return id === undefined ? undefined : { id, caller, fingerprint, since: now };
    },
  };
}

function requestOf(caller: string, fingerprint: string): string {
  return `${fingerprint} ${caller}`;
}
