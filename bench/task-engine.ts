/** A queue of tasks under measure: ours, or one that people would take instead. */
export interface TaskEngine {
  readonly name: string;
  /** Resolves when this task would survive power loss. */
  submit(task: number): Promise<void>;
  /** Starts its worker; resolves with what stops it when it is ready to be given work. */
  work(hear: WorkListener): Promise<() => Promise<void>>;
  /** Resolves when nothing is left in the database to do, where `finished` is heard before it is written. */
  settled?(): Promise<void>;
  close(): Promise<void>;
}

export interface WorkListener {
  /** The worker has the task in hand and would send it now. */
  begun(task: number): void;
  /** That it was done is written, or `settled` waits for it. */
  finished(task: number): void;
}

/** What every engine may have under way at once: tasks being submitted, and tasks in the worker's hands. */
export const IN_FLIGHT = 256;
