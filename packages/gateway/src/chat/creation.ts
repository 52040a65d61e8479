import { isAway } from '../store/errors.ts';
import { LostRunError, type Store } from '../store/store.ts';

/**
 * Appends to what is still being created: the store works in order, so the first one becomes durable with it. Where the
 * creation failed because the store is away, the next append begins with it again.
 */
export function createdFirst(store: Store, create: () => Promise<void>): Pick<Store, 'append' | 'read'> {
  let failure: unknown;
  const begin = () => {
    failure = undefined;
    return create().catch((error: unknown) => {
      failure = error;
    });
  };
  let creation = begin();
  return {
    read: store.read,
    async append(...args) {
      if (isAway(failure)) {
        creation = begin();
        await creation;
      }
      if (isAway(failure)) throw failure;
      try {
        await store.append(...args);
        failure = undefined;
      } catch (error) {
        await creation;
        throw error instanceof LostRunError && isAway(failure) ? failure : error;
      }
    },
  };
}
