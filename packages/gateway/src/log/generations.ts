import { foldGeneration } from '@onetake/core';
import type { Logger } from 'pino';
import { plainCode } from '../signals/plain-code.ts';
import type { Signals } from '../signals/signals.ts';
import type { AnyLive } from '../tasks/running.ts';

/** What every line about a generation says of it. */
export function aboutLive({ id, requestId, caller }: Pick<AnyLive, 'id' | 'requestId' | 'caller'>) {
  return { generation: id, request_id: requestId, key: caller };
}

/** One line for every generation that ends in this process, at `info`; without the prompt, and without a provider's words. */
export function logGenerations(signals: Pick<Signals, 'on'>, log: Pick<Logger, 'info' | 'isLevelEnabled'>): void {
  if (!log.isLevelEnabled('info')) return;
  signals.on((signal) => {
    if (signal.type !== 'ended') return;
    const { live, summary } = signal;
    const { attempts, paidAttempts } = foldGeneration(live.journals);
    log.info(
      {
        ...aboutLive(live),
        status: summary.status,
        code: summary.code && plainCode(summary.code),
        route: live.plan.route,
        target: summary.target,
        attempts,
        paid_attempts: paidAttempts,
        ms: Math.max(0, summary.finishedAt - live.plan.createdAt),
        billed: summary.billed,
        usd: summary.costUsd,
        possible_usd: summary.possibleUsd,
      },
      'generation ended',
    );
  });
}
