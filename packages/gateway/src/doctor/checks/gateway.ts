import type { Check, Finding } from '../check.ts';
import { fine } from './found.ts';

/** Whether a gateway runs and can work, and what it says is waiting for a decision. */
export const GATEWAY: Check = {
  id: 'gateway',
  title: 'gateway',
  async run({ gateway }) {
    if (gateway === undefined) {
      const message = 'none runs here, so use of the last 7 days, budgets and unknown outcomes were not looked at';
      return [{ id: 'gateway.none', level: 'skipped', message }];
    }
    const { url, isReady, unknown = 0, isUnheard } = gateway;
    const found: Finding[] = [];
    if (isUnheard) {
      const message = `the gateway at ${url} tells its use to administrators alone`;
      found.push({ id: 'gateway.not-told', level: 'skipped', message });
    }
    if (!isReady)
      found.push({
        ...{ id: 'gateway.not-ready', level: 'broken', subject: url },
        message: `the gateway at ${url} runs and its store does not answer`,
        advice: 'Look at its log and at the check of the database; nothing is taken until the store answers.',
      });
    if (unknown > 0)
      found.push({
        ...{ id: 'gateway.unknown-outcomes', level: 'warning', subject: url },
        message: `${unknown === 1 ? '1 generation waits' : `${unknown} generations wait`} to be settled: nobody knows whether they were charged`,
        advice: 'Hold them against the provider’s bill, then settle each as charged or free.',
        fix: 'onetake generations --unknown\nonetake generations settle ID --charged',
      });
    return found.some(({ level }) => level !== 'skipped')
      ? found
      : [fine('gateway.ready', `ready at ${url}`), ...found];
  },
};
