import type { Client } from 'pg';
import type { Change } from '../store.ts';
import { connect, type Database, disconnect } from './connection.ts';

/** Tells listeners what this node changed, and what others say they changed. */
export interface Changes {
  tell(changes: readonly Change[]): void;
  subscribe(listener: (change: Change) => void): () => void;
  close(): Promise<void>;
}

export interface ChangesOptions {
  readonly database: Database;
  /** Notifications of these server processes were told already. */
  readonly isOwn: (processId: number) => boolean;
}

const KINDS: readonly unknown[] = ['waiting', 'finished', 'cancel', 'cell', 'webhook'];
/** A payload has less than 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_900;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
const MAX_CELLS = 1_000;

/** What may have changed while nobody listened. */
const MISSED = `
  SELECT json_build_object('kind', 'waiting', 'queue', queue)::text AS change
  FROM (SELECT DISTINCT queue FROM generations WHERE status = 'pending') waiting
  UNION ALL SELECT json_build_object('kind', 'cell', 'key', key)::text FROM (SELECT key FROM cells LIMIT ${MAX_CELLS}) c
  UNION ALL SELECT '{"kind":"webhook"}'`;

/** Resolves when it listens. A connection that is lost is opened again, and then everybody is told to look again. */
export async function listenForChanges({ database, isOwn }: ChangesOptions): Promise<Changes> {
  const listeners = new Set<(change: Change) => void>();
  let client: Client | undefined = await listen();
  let closed = false;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;
  let reconnecting: Promise<void> | undefined;

  function tell(changes: readonly Change[]): void {
    for (const change of changes) for (const listener of listeners) listener(change);
  }

  async function listen(): Promise<Client> {
    const fresh = await connect(database, { pipeline: false });
    fresh.on('notification', ({ processId, payload }) => {
      if (!isOwn(processId)) tell(unpackChanges(payload));
    });
    fresh.on('end', () => {
      if (client === fresh) listenAgain();
    });
    try {
      await fresh.query('LISTEN onetake');
      return fresh;
    } catch (error) {
      await disconnect(fresh);
      throw database.fault('it cannot be listened to', error);
    }
  }

  function listenAgain(): void {
    client = undefined;
    if (closed) return;
    timer = setTimeout(() => {
      reconnecting = listen().then(resume, listenAgain);
    }, pauseMs);
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }

  async function resume(fresh: Client): Promise<void> {
    if (closed) return disconnect(fresh);
    client = fresh;
    pauseMs = FIRST_PAUSE_MS;
    // When the connection is lost once more, this is asked again with the next.
    const { rows } = await fresh.query(MISSED).catch(() => ({ rows: [] }));
    tell(rows.map(({ change }) => JSON.parse(change)));
  }

  return {
    tell,

    subscribe(listener) {
      const own = (change: Change) => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },

    async close() {
      closed = true;
      clearTimeout(timer);
      listeners.clear();
      await reconnecting;
      if (client !== undefined) await disconnect(client);
    },
  };
}

/** As few payloads as hold these changes, which are JSON. One that is too large for any is left out. */
export function packChanges(changes: Iterable<string>): readonly string[] {
  const payloads: string[] = [];
  let packed: string[] = [];
  let bytes = 0;
  for (const change of changes) {
    const length = Buffer.byteLength(change) + 1;
    if (length >= MAX_PAYLOAD_BYTES) continue;
    if (bytes + length > MAX_PAYLOAD_BYTES) {
      payloads.push(`[${packed.join(',')}]`);
      packed = [];
      bytes = 0;
    }
    packed.push(change);
    bytes += length;
  }
  return packed.length === 0 ? payloads : [...payloads, `[${packed.join(',')}]`];
}

/** Others may use the channel too, newer versions among them: what is not understood is passed over. */
export function unpackChanges(payload: string | undefined): readonly Change[] {
  try {
    const changes: unknown = JSON.parse(payload ?? '');
    return Array.isArray(changes) ? changes.filter((change) => KINDS.includes(change?.kind)) : [];
  } catch {
    return [];
  }
}
