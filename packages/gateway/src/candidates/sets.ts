import { randomBytes } from 'node:crypto';
import type { Failure, Io, JsonValue } from '@onetake/core';
import type { SharedState } from '../store/cells.ts';

/** Several generations for one wish, of which one is picked. */
export interface CandidateSet {
  /** `set_` and 24 hex digits, of which the first two name its cell. */
  readonly id: string;
  readonly caller: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Of the whole request, its candidates included. */
  readonly fingerprint: string;
  /** Hash of endpoint and `Idempotency-Key`. */
  readonly keyHash?: string;
  readonly pick: PickMode;
  readonly members: readonly Member[];
  readonly answer: AnswerState;
  /** Which one a person picked, from 1. */
  readonly picked?: { readonly index: number; readonly at: number };
  /** What a chat model made of the pictures; absent where none was asked. */
  readonly judged?: Judged;
}

/** A question to a chat model about a set, of which there is one at most. */
export type Judged = {
  /** The model, as it is configured. */
  readonly by: string;
  readonly at: number;
  /** The generation of chat that was paid for it. */
  readonly generation?: string;
  readonly costUsd?: number;
} & (
  | { readonly state: 'asked'; readonly until: number }
  /** By the number of the candidate, from 0 to 10. */
  | { readonly state: 'scored'; readonly scores: readonly (readonly [index: number, score: number])[] }
  | { readonly state: 'failed'; readonly why: string }
);

/** The answer comes with the `first` good picture, with `all` of them, or with the `best` of all. */
export type PickMode = 'first' | 'all' | 'best';

export interface Member {
  readonly generation: string;
  /** Why there is no such generation: it was never begun. */
  readonly failure?: Failure;
}

/** Whether the set reached who asked for it: what was paid for and never arrived answers the next identical request. */
export type AnswerState =
  | { readonly state: 'waiting'; readonly at: number; readonly process: string }
  | { readonly state: 'lost'; readonly at: number }
  | { readonly state: 'given'; readonly at: number };

/** What makes a request the same as an earlier one; with none of both it is a new one. */
export interface SetScope {
  readonly keyHash?: string;
  /** Sets of the same fingerprint that may be taken over. */
  readonly takes?: (set: CandidateSet) => boolean;
  /** Sets that came to nothing and cost nothing. */
  readonly except: ReadonlySet<string>;
}

export type Begun = { readonly kind: 'created' | 'replayed' | 'attached'; readonly set: CandidateSet };

export interface CandidateSets {
  /** Writes a new set durably, or finds the one that this request already has. */
  begin(set: Omit<CandidateSet, 'id'>, scope: SetScope): Promise<Begun>;
  read(id: string, caller: string): Promise<CandidateSet | undefined>;
  /** Resolves with what is stored then; undefined when there is none of this id. */
  change(id: string, caller: string, change: (set: CandidateSet) => CandidateSet): Promise<CandidateSet | undefined>;
  /** A caller's own, newest first. */
  list(caller: string): Promise<readonly CandidateSet[]>;
}

export interface CandidateSetsOptions {
  readonly cells: SharedState;
  readonly io: Pick<Io, 'now'>;
  /** Older sets are forgotten, as their generations are. */
  readonly keepMs: number;
  /** How long a key means the same set. */
  readonly idempotencyMs: number;
}

/** Sets in one cell; the oldest gives way. Of one caller there are at most 256 times as many. */
export const MAX_SETS_PER_CELL = 32;
/** Somebody else wins each lost round, so this many losses mean a store that does not work. */
const MAX_ROUNDS = 100;
const PREFIX = 'candidates/';

/**
 * Sets in the cells of the store: 256 cells for each caller, so that few writers meet in one. A set lies in the cell
 * that its key or fingerprint names, where the same request finds it; ages and numbers are bounded at each write.
 */
export function createCandidateSets({ cells, io, keepMs, idempotencyMs }: CandidateSetsOptions): CandidateSets {
  async function load(key: string, caller: string) {
    const cell = await cells.readCell(key);
    return { version: cell?.version ?? 0, sets: readSets(cell?.value, caller).filter(isKept) };
  }

  const isKept = ({ createdAt }: CandidateSet) => createdAt > io.now() - keepMs;

  /** Runs `decide` until what it wants written is written. */
  async function swap<Result>(
    key: string,
    caller: string,
    decide: (sets: readonly CandidateSet[]) => { readonly write?: readonly CandidateSet[]; readonly result: Result },
  ): Promise<Result> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { version, sets } = await load(key, caller);
      const { write, result } = decide(sets);
      if (write === undefined) return result;
      const value = { sets: write.slice(-MAX_SETS_PER_CELL) } as unknown as JsonValue;
      if (await cells.swapCell(key, version, value)) return result;
    }
    throw new Error(`the candidates at ${key} could not be written in ${MAX_ROUNDS} rounds`);
  }

  function begin(draft: Omit<CandidateSet, 'id'>, scope: SetScope): Promise<Begun> {
    const bucket = (scope.keyHash ?? draft.fingerprint).slice(0, 2);
    const created = { ...draft, id: `set_${bucket}${randomBytes(11).toString('hex')}` };
    return swap<Begun>(cellOf(draft.caller, bucket), draft.caller, (sets) => {
      const known = sets.filter(({ id }) => !scope.except.has(id));
      const since = io.now() - idempotencyMs;
      const keyed = known.find(
        (one) => one.keyHash !== undefined && one.keyHash === scope.keyHash && one.createdAt > since,
      );
      if (keyed) return { result: { kind: 'replayed', set: keyed } };
      const lost = known.find((one) => one.fingerprint === draft.fingerprint && scope.takes?.(one));
      if (lost === undefined) return { write: [...sets, created], result: { kind: 'created', set: created } };
      const taken = { ...lost, answer: draft.answer };
      return {
        write: sets.map((one) => (one.id === lost.id ? taken : one)),
        result: { kind: 'attached', set: taken },
      };
    });
  }

  return {
    begin,
    async read(id, caller) {
      const { sets } = await load(cellOf(caller, bucketOf(id)), caller);
      return sets.find((one) => one.id === id);
    },
    change(id, caller, change) {
      return swap(cellOf(caller, bucketOf(id)), caller, (sets) => {
        const found = sets.find((one) => one.id === id);
        if (found === undefined) return { result: undefined };
        const changed = change(found);
        if (changed === found) return { result: found };
        return { write: sets.map((one) => (one === found ? changed : one)), result: changed };
      });
    },
    async list(caller) {
      const found = await cells.readCells(`${PREFIX}${caller}/`);
      const sets = found.flatMap(({ value }) => readSets(value, caller)).filter(isKept);
      return sets.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    },
  };
}

function cellOf(caller: string, bucket: string): string {
  return `${PREFIX}${caller}/${bucket}`;
}

function bucketOf(id: string): string {
  return id.slice('set_'.length, 'set_'.length + 2);
}

/** Of this caller alone: the name of one may begin with the name of another. */
function readSets(value: JsonValue | undefined, caller: string): readonly CandidateSet[] {
  const { sets = [] } = (value ?? {}) as { readonly sets?: readonly CandidateSet[] };
  return sets.filter((one) => one.caller === caller);
}
