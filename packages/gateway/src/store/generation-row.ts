export type Status = 'pending' | 'processing' | 'completed' | 'failed' | 'canceled';

export interface GenerationRow {
  readonly id: string;
  readonly caller: string;
  readonly endpoint: string;
  readonly route: string;
  readonly prompt: string;
  /** `pending` while it waits in a queue. */
  readonly status: Status;
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly deliveredAt?: number;
  readonly code?: string;
  readonly billed?: 'no' | 'maybe' | 'yes';
  readonly target?: string;
  readonly costUsd?: number;
  /** What the attempts nobody knows the end of would cost. */
  readonly possibleUsd?: number;
  /** When and how somebody ended an outcome that nobody knew. */
  readonly settledAt?: number;
  readonly settled?: 'charged' | 'free';
}

export interface ListFilter {
  /** Absent lists every caller's; only an operator asks that. */
  readonly caller?: string;
  readonly status?: GenerationRow['status'];
  /** Only those whose bill is in doubt, and nobody settled. */
  readonly unknown?: true;
  readonly before?: { readonly createdAt: number; readonly id: string };
  /** 1 to 1000. */
  readonly limit: number;
}
