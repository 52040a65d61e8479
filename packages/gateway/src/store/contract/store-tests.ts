import type { Store } from '../store.ts';

/** Tests by the sentence they prove; each is given a store of its own. */
export type StoreTests = Readonly<Record<string, (store: Store) => Promise<void>>>;

/** Tests of two nodes on one database. */
export type SharedStoreTests = Readonly<Record<string, (store: Store, other: Store) => Promise<void>>>;
