import type { SmallPictures } from '../assets/small-pictures.ts';
import { StoreClosedError } from './errors.ts';
import { listenForChanges } from './postgres/changes.ts';
import { connect, disconnect, readDatabaseUrl } from './postgres/connection.ts';
import { createLane } from './postgres/lane.ts';
import { migrate } from './postgres/migrations.ts';
import { createReader } from './postgres/reads.ts';
import { createSmallPictures, createVerbs } from './postgres/verbs.ts';
import type { Change, Store } from './store.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with pg's parameters such as `?sslmode=require`. */
  readonly url: string;
  /** Operations that may wait for the database; more are rejected. Default 100,000. */
  readonly maxQueued?: number;
  /** Connections that read; besides them there are three. Default 4. */
  readonly readConnections?: number;
}

/** A store that also has room for small pictures, which every node can read. */
export type PostgresStore = Store & { readonly smallPictures: SmallPictures };

const DEFAULT_MAX_QUEUED = 100_000;
const DEFAULT_READ_CONNECTIONS = 4;

/**
 * Opens a store in the schema `onetake` of a PostgreSQL database, which several nodes share. What is written at about
 * the same time becomes durable in one transaction. When a connection is lost, the operations under way are rejected
 * and the next ones connect again. It needs a direct connection, or a pooler that pools sessions.
 *
 * @throws {StoreSchemaError} a newer version wrote the schema
 */
export async function openPostgresStore({
  url,
  maxQueued = DEFAULT_MAX_QUEUED,
  readConnections = DEFAULT_READ_CONNECTIONS,
}: PostgresStoreOptions): Promise<PostgresStore> {
  const database = readDatabaseUrl(url);
  const client = await connect(database, { pipeline: true });
  try {
    await migrate(client, database);
    const onChanges = (told: readonly Change[]) => changes.tell(told);
    const generations = createLane({ database, maxQueued, onChanges, client });
    const cells = createLane({ database, maxQueued, onChanges });
    const isOwn = (processId: number) => generations.isOwn(processId) || cells.isOwn(processId);
    const changes = await listenForChanges({ database, isOwn });
    const reader = createReader({ database, connections: readConnections, maxQueued });
    const lanes = { generations, cells, reader };
    let closing: Promise<void> | undefined;
    const close = async () => {
      const error = new StoreClosedError('close() was called');
      await Promise.all([generations.close(error), cells.close(error), reader.close()]);
      await changes.close();
    };
    return {
      ...createVerbs(lanes),
      ownership: 'shared',
      onChange: changes.subscribe,
      close: () => {
        closing ??= close();
        return closing;
      },
      smallPictures: createSmallPictures(lanes),
    };
  } catch (error) {
    await disconnect(client);
    throw error;
  }
}
