import { type Attempt, amendAttempt, type Event, foldRun, type Journal, type Run } from './journal.ts';

/** A run's journal as the run sees it: what happened counts at once, and becomes durable in order. */
export interface Recorder {
  run(): Run;
  /** Counts at once, and becomes durable with the next flush. */
  record(...events: readonly Event[]): void;
  flush(): Promise<void>;
  append(event: Event): Promise<void>;
  /** What is known of a job that need not survive this process, such as when to look at it again. */
  note(attempt: number, known: Pick<Attempt, 'pollAt' | 'missed'>): void;
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
  const note: Recorder['note'] = (attempt, known) => {
    state = amendAttempt(state, attempt, known);
  };
  return { run: () => state, record, flush, append, note };
}
