import { randomBytes } from 'node:crypto';

const canary = (name: string) => `canary-${name}-${randomBytes(12).toString('hex')}`;

/** By what they are of; more are added as a gateway makes them. */
export const CANARIES: Record<string, string> = {
  echoed: canary('echoed'),
  'pool a': canary('pool-a'),
  'pool b': canary('pool-b'),
  'key file': canary('key-file'),
  'user and password': `user:${canary('password')}`,
  played: canary('played'),
  ann: canary('ann'),
  bob: canary('bob'),
  'admin of the environment': canary('admin'),
  webhook: `whsec_${randomBytes(24).toString('base64')}`,
  stranger: canary('stranger'),
  'basic stranger': canary('basic'),
  cookie: canary('cookie'),
  environment: canary('environment'),
  database: canary('database'),
  channel: canary('channel'),
  'refusing channel': canary('refusing'),
  'unreachable channel': canary('nowhere'),
  'secret of alerts': `whsec_${randomBytes(24).toString('base64')}`,
  collector: canary('collector'),
};

export const secret = (name: string) => CANARIES[name] ?? '';
