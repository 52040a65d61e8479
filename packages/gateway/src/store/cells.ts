import type { JsonValue } from '@onetake/core';

/** Small JSON values by key, which the nodes that share a database change by compare and swap. */
export interface SharedState {
  /** Those whose key starts so, in the order of their keys. */
  readCells(prefix: string): Promise<readonly Cell[]>;
  readCell(key: string): Promise<Cell | undefined>;
  /** Writes when the stored version is still `version` (0: there is none yet); false when somebody was faster. */
  swapCell(key: string, version: number, value: JsonValue): Promise<boolean>;
}

export interface Cell {
  readonly key: string;
  /** Counts changes from 1. */
  readonly version: number;
  readonly value: JsonValue;
}
