export type Period = 'hour' | 'day' | 'week' | 'month' | 'total';

/** A key that was made here. Only its digest is kept; the key itself is shown once. */
export interface ManagedKey {
  /** Who calls with it: the name that generations, limits, budgets and costs go by. Never given to a second key. */
  readonly name: string;
  /** SHA-256 of the key, hexadecimal. */
  readonly digest: string;
  /** Its first characters, to be recognised by. */
  readonly hint: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  /** What it may spend in a stretch of time (UTC), in whole millionths of a US dollar. */
  readonly budget?: { readonly microUsd: number; readonly per: Period };
  readonly images?: { readonly count: number; readonly per: Period };
  /** Requests in any 60 s. */
  readonly rpm?: number;
  /** Patterns of the names it may ask for, with `*` for any characters; absent: all. */
  readonly models?: readonly string[];
  /** It may use models whose price nobody knows in spite of its budget. */
  readonly allowUnknownPrice?: true;
  /** May see and change what is everybody's: keys, costs, targets, other callers' generations. */
  readonly admin?: true;
  /** For a page of these origins alone, which may raise nothing. */
  readonly browser?: { readonly origins: readonly string[] };
}

/** The keys that were made here, as this process knows them; changes of other nodes arrive within seconds. */
export interface Keys {
  /** The key that stands behind this digest, expired and revoked ones too. */
  find(digest: string): ManagedKey | undefined;
  /** What holds for a caller of this name. */
  named(name: string): ManagedKey | undefined;
  list(): readonly ManagedKey[];
  /** Whether there is one that nobody revoked: from then on nobody calls without a key, also when the last one expired. */
  areInUse(): boolean;
}
