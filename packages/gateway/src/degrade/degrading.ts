import type { Asset, Failure, GeneratedImage, Plan } from '@onetake/core';
import type { RouteDegrade } from '../config/degrade.ts';
import type { Store } from '../store/store.ts';
import { findEarlier } from './earlier.ts';
import { DEGRADE_KINDS, type DegradeKind, mayDegrade } from './kinds.ts';
import type { DrawPlaceholder } from './placeholder.ts';

/** What is shown where nothing could be made. It is never kept, cached or counted as a result. */
export interface Substitute {
  readonly kind: DegradeKind;
  readonly images: readonly GeneratedImage[];
  /** Whose pictures they are, where they were made before. */
  readonly generation?: string;
  readonly createdAt?: number;
}

/** A request that failed. */
export interface Failed {
  readonly caller: string;
  readonly plan: Plan;
  readonly failure: Failure;
  /** What the request says of it; undefined leaves it to the route. */
  readonly wish: boolean | undefined;
}

/** Something to show instead of an error, where the request or its route asked for that; else undefined. */
export type Degrade = (failed: Failed) => Promise<Substitute | undefined>;

export interface DegradingOptions {
  readonly routes: Readonly<Record<string, RouteDegrade>>;
  /** By route. */
  readonly files: ReadonlyMap<string, Asset>;
  readonly store: Pick<Store, 'list' | 'read'>;
  readonly assets: { size(hash: string, type: string): Promise<number | undefined> };
  readonly placeholder: DrawPlaceholder;
  readonly onError: (error: unknown) => void;
}

/** Tries what the route lists in its order; a request that asks for it where its route says nothing gets the usual. */
export function createDegrading({ routes, files, store, assets, placeholder, onError }: DegradingOptions): Degrade {
  async function found(kind: DegradeKind, { caller, plan }: Failed): Promise<Substitute | undefined> {
    if (kind === 'file') return shown(kind, files.get(plan.route));
    if (kind === 'placeholder') return shown(kind, await placeholder(plan.request));
    const match = kind === 'stale' ? 'same' : 'prompt';
    const earlier = await findEarlier({ caller, plan, match }, store);
    return earlier && { kind, ...earlier };
  }

  async function areStored({ images }: Substitute): Promise<boolean> {
    for (const { asset } of images) if ((await assets.size(asset.hash, asset.type)) === undefined) return false;
    return true;
  }

  return async (failed) => {
    const route = Object.hasOwn(routes, failed.plan.route) ? routes[failed.plan.route] : undefined;
    const isWanted = failed.wish ?? route !== undefined;
    if (!isWanted || !mayDegrade(failed.failure.kind)) return undefined;
    for (const kind of route?.to ?? DEGRADE_KINDS) {
      try {
        const substitute = await found(kind, failed);
        if (substitute && (await areStored(substitute))) return substitute;
      } catch (error) {
        // What failed is told all the same, by the next kind or by the error itself.
        onError(error);
      }
    }
    return undefined;
  };
}

function shown(kind: DegradeKind, asset: Asset | undefined): Substitute | undefined {
  return asset && { kind, images: [{ asset }] };
}
