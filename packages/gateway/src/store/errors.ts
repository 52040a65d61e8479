/** Another process works on the same data; a store has one owner at a time. */
export class StoreInUseError extends Error {
  constructor(path: string) {
    super(`${path} is in use by another gateway; stop that one, or give this one a data directory of its own`);
    this.name = 'StoreInUseError';
  }
}

/** The database was written by a newer version, whose data this one could only damage. */
export class StoreSchemaError extends Error {
  readonly found: number;
  readonly known: number;

  constructor(path: string, found: number, known: number) {
    super(
      `${path} has schema version ${found} and this version of onetake knows ${known}; ` +
        'run the newer version, or give this one data of its own',
    );
    this.name = 'StoreSchemaError';
    this.found = found;
    this.known = known;
  }
}

/** The database does not answer now. `maybeDone`: a write may have become durable all the same. */
export class StoreUnavailableError extends Error {
  readonly maybeDone: boolean;

  constructor(message: string, maybeDone: boolean) {
    super(message);
    this.name = 'StoreUnavailableError';
    this.maybeDone = maybeDone;
  }
}

/** The queue in front of the store is full; nothing of the operation was done. */
export class StoreOverloadedError extends Error {
  constructor(maxQueued: number) {
    super(`the store has ${maxQueued} operations waiting (maxQueued) and takes no more; try again later`);
    this.name = 'StoreOverloadedError';
  }
}

/** The store was closed, or its thread ended; whether operations under way were done is unknown. */
export class StoreClosedError extends Error {
  constructor(why: string) {
    super(`the store is closed: ${why}`);
    this.name = 'StoreClosedError';
  }
}

/** The store may do later what it did not do now. */
export function isAway(error: unknown): error is StoreUnavailableError | StoreOverloadedError {
  return error instanceof StoreUnavailableError || error instanceof StoreOverloadedError;
}

export class LostRunError extends Error {
  constructor(generation: string, run: number) {
    super(`generation ${generation}, run ${run}: another worker owns it or its journal has grown`);
    this.name = 'LostRunError';
  }
}
