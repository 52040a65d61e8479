import type { Picture } from '../pictures.ts';
import type { Status } from '../tasks/task.ts';
import type { ImageCall } from '../wire/call.ts';

/** A picture as a protocol answers it. */
export interface PaintedPicture extends Picture {
  readonly base64: string;
  readonly mime: string;
  /** Keeps the picture and links to it, by the protocol's rule for links. */
  link(): Promise<string>;
}

/** A job as its protocol describes it. */
export interface JobView {
  readonly id: string;
  readonly model: string;
  readonly call: ImageCall;
  readonly data: Readonly<Record<string, unknown>>;
  /** Where the caller reaches the protocol. */
  readonly base: string;
  readonly status: Exclude<Status, 'gone'>;
  /** 0 to 100. */
  readonly progress: number;
  readonly ended: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When it ends, or ended; Infinity for a job that never does. */
  readonly endsAt: number;
  /** Why it `failed` or was `moderated`. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Of a `moderated` job: whether the prompt or the picture was. */
  readonly stage?: 'input' | 'output';
  readonly flagged: boolean;
  /** Of a canceled job: whether its charge stays. */
  readonly billed?: boolean;
  /** Pictures charged. */
  readonly charged: number;
  /** What was delivered, once it succeeded; undefined where the list is to be left out. */
  pictures(): Promise<readonly PaintedPicture[] | undefined>;
}
