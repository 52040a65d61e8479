import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Connection } from '@onetake/core';
import { type Addresses, reachableAt } from '../addresses.ts';
import type { Running } from './running.ts';

/** Lets providers say that a job has news: nothing they send is believed, it only makes us look at once. */
export interface JobNews {
  /** Where this run's provider may say so; undefined where it cannot reach us. */
  urlFor(runId: string, connection: Connection): string | undefined;
  /** False for an address that was not given out by this process, or a run that is not here. */
  tell(runId: string, token: string): boolean;
}

export interface JobNewsOptions {
  readonly running: Pick<Running, 'live'>;
  readonly addresses: () => Addresses;
}

/** Addresses hold for as long as the process lives; a job of an earlier one is looked at anyway. */
export function createJobNews({ running, addresses }: JobNewsOptions): JobNews {
  const secret = randomBytes(32);
  const tokenOf = (runId: string) => createHmac('sha256', secret).update(runId).digest('hex');
  return {
    urlFor(runId, { baseUrl }) {
      const base = reachableAt(baseUrl, addresses());
      return base === undefined ? undefined : `${base}/v1/jobs/${runId}/${tokenOf(runId)}`;
    },
    tell(runId, token) {
      const [expected, given] = [Buffer.from(tokenOf(runId)), Buffer.from(token)];
      if (expected.length !== given.length || !timingSafeEqual(expected, given)) return false;
      const live = running.live(runId.replace(/\.\d+$/, ''));
      live?.tellNews();
      return live !== undefined;
    },
  };
}
