/** `chat-batch.json`: where the gateway has the batch. What it holds is written before the next step. */
export interface ChatBatchFile {
  readonly version: 1;
  /** Random: the Idempotency-Key of the batch. */
  readonly key: string;
  /** Which gateway it was sent through. */
  readonly gateway: string;
  readonly endpoint: string;
  readonly lines: number;
  /** The gateway's id of its input, once that is there. */
  readonly file?: string;
  /** The gateway's id of it, once it was begun. */
  readonly batch?: string;
}

export const CHAT_FILES = {
  batch: 'chat-batch.json',
  requests: 'lines.jsonl',
  lock: 'batch.lock',
  output: 'output.jsonl',
  errors: 'errors.jsonl',
  failed: 'failed.jsonl',
  report: 'report.json',
} as const;

/** A batch of chat in its directory, locked for this process. */
export interface ChatHome {
  readonly directory: string;
  readonly state: () => ChatBatchFile;
  readonly requests: () => Promise<Buffer>;
  save(change: Partial<ChatBatchFile>): Promise<void>;
}
