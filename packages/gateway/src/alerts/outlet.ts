import type { Io } from '@onetake/core';
import type { Logger } from 'pino';
import type { AlertChannel } from '../config/alerts.ts';
import { isTaken, mayImprove, reasonOf, sendNote } from './channels.ts';
import type { Note } from './message.ts';

export interface OutletOptions {
  readonly channels: readonly AlertChannel[];
  readonly io: Io;
  readonly log: Pick<Logger, 'warn'>;
  /** Waits before the second, third … try. */
  readonly retryMs?: readonly number[];
}

/** Takes notes to every channel, to each in order, so that a recovery never arrives before its alert. */
export interface Outlet {
  tell(note: Note): void;
  /** Ends the waits; resolves when what is on its way has arrived, or failed, or takes longer than a process may end. */
  stop(): Promise<void>;
}

export const RETRY_MS: readonly number[] = [2_000, 10_000, 60_000, 300_000];
/** What waits for one channel; beyond it the oldest goes. */
const MAX_WAITING = 100;
/** Nobody waits longer for a process to end than these take, nor for a channel that hangs. */
const MAX_LAST_WORDS = 3;
const LAST_WORDS_MS = 5_000;

export function createOutlet({ channels, io, log, retryMs = RETRY_MS }: OutletOptions): Outlet {
  const outlets = channels.map((channel) => createLine(channel, { io, log, retryMs }));
  return {
    tell: (note) => {
      for (const one of outlets) one.tell(note);
    },
    stop: async () => void (await Promise.all(outlets.map((one) => one.stop()))),
  };
}

function createLine(channel: AlertChannel, { io, log, retryMs }: Required<Omit<OutletOptions, 'channels'>>): Outlet {
  const waiting: Note[] = [];
  let working: Promise<void> | undefined;
  let isStopped = false;
  let wake = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = io.timer(io.now() + ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });

  async function within(ms: number, work: Promise<void>): Promise<void> {
    let cancel = () => {};
    const passed = new Promise<void>((resolve) => {
      cancel = io.timer(io.now() + ms, () => {
        log.warn({ channel: channel.name }, 'a channel does not answer; what it was not told yet is given up');
        resolve();
      });
    });
    await Promise.race([work, passed]);
    cancel();
  }

  /** After a stop each gets one try, so that what a gateway says last is said. */
  async function send(note: Note): Promise<void> {
    for (const wait of [...retryMs, undefined]) {
      const tried = await sendNote(channel, note, io);
      if (isTaken(tried)) return;
      const isLast = wait === undefined || isStopped || !mayImprove(tried);
      const words = isLast
        ? 'an alert could not be told and is given up'
        : 'an alert could not be told; it is tried again';
      log.warn({ channel: channel.name, alert: note.type, reason: reasonOf(tried) }, words);
      if (isLast) return;
      await pause(wait);
    }
  }

  async function work(): Promise<void> {
    for (let note = waiting.shift(); note !== undefined; note = waiting.shift()) await send(note);
    working = undefined;
  }

  return {
    tell(note) {
      waiting.push(note);
      if (waiting.length > MAX_WAITING) {
        const [lost] = waiting.splice(0, 1);
        log.warn({ channel: channel.name, alert: lost?.type }, 'an alert was dropped: too many wait for this channel');
      }
      working ??= work();
    },
    async stop() {
      isStopped = true;
      waiting.splice(MAX_LAST_WORDS);
      wake();
      if (working !== undefined) await within(LAST_WORDS_MS, working);
    },
  };
}
