import { amendAttempt, type Event, foldRun, type Journal, type Run } from './journal.ts';

/** A run's journal as the run sees it: what happened counts at once, and becomes durable in order. */
export interface Recorder {
  run(): Run;
  /** Counts at once, and becomes durable with the next flush. */
  record(...events: readonly Event[]): void;
  flush(): Promise<void>;
  append(event: Event): Promise<void>;
  /** When to look at a job again, which need not survive this process. */
  note(attempt: number, pollAt: number): void;
}

/** Appends in order, one write at a time, because the fence counts events; what gathers meanwhile goes as one. */
export function createRecorder(journal: Journal): Recorder {
  let state = foldRun(journal.events);
  let pending: Event[] = [];
  let written: Promise<void> = Promise.resolve();
  const record = (...events: readonly Event[]): void => {
    state = foldRun(events, state);
    pending.push(...events);
  };
  const flush = (): Promise<void> => {
    written = written.then(() => {
      const events = pending;
      pending = [];
      return events.length > 0 ? journal.append(events) : undefined;
    });
    return written;
  };
  const append = (event: Event): Promise<void> => {
    record(event);
    return flush();
  };
  const note = (attempt: number, pollAt: number): void => {
    state = amendAttempt(state, attempt, { pollAt });
  };
  return { run: () => state, record, flush, append, note };
}
