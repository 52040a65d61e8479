/** One line of `progress.jsonl`: what happened, in the order it did. Instants are epoch ms. */
export type BatchEvent = SessionBegan | LineEvent;
export type LineEvent = Intended | Accepted | Withdrawn | Done | Failed | Unknown;

/** A process began to work on the batch. */
export interface SessionBegan {
  readonly type: 'session';
  readonly at: number;
  /** Null is no cap. */
  readonly max_cost_usd: number | null;
}

interface OfLine {
  readonly line: number;
  readonly at: number;
}

/** Written before the request leaves: from here on the line may cost something. */
export interface Intended extends OfLine {
  readonly type: 'intended';
  /** Its Idempotency-Key. A line has a further one only after the earlier one's end. */
  readonly key: string;
  /** The most it may cost; null where the price is not known. */
  readonly reserved_usd: number | null;
  /** Asked of the gateway, where a cap bounds it. */
  readonly max_paid_attempts?: number;
}

/** The gateway has it as this task. */
export interface Accepted extends OfLine {
  readonly type: 'accepted';
  readonly task: string;
}

/** The gateway answered that it did not take it, and it is not asked again for now. */
export interface Withdrawn extends OfLine {
  readonly type: 'withdrawn';
}

export interface PictureFile {
  /** Its name in the directory. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Null is not known, never 0. */
export interface Charge {
  readonly price_usd: number | null;
  /** What attempts nobody knows the end of may have cost besides; 0 when there are none. */
  readonly possible_usd: number | null;
}

interface Ended extends OfLine {
  readonly task?: string;
  readonly generation?: string;
  readonly charge: Charge;
}

/** Its pictures are files. */
export interface Done extends Ended {
  readonly type: 'done';
  readonly files: readonly PictureFile[];
  /** Pictures that were asked for and not made. */
  readonly missing: number;
  /** `provider/model` that made it. */
  readonly model?: string;
}

interface Broken extends Ended {
  readonly code: string;
  readonly kind?: string;
  readonly message: string;
  readonly billed: 'no' | 'maybe' | 'yes';
}

/** It ended without a picture. */
export interface Failed extends Broken {
  readonly type: 'failed';
}

/** Nobody knows whether it was made and billed. It is not repeated unless that is asked for by name. */
export interface Unknown extends Broken {
  readonly type: 'unknown';
}
