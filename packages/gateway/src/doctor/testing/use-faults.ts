import { OPENAI_KEY } from './key-faults.ts';
import { CANARY, type Planted } from './planted.ts';
import { costRow } from './use.ts';
import { TODAY, well } from './well-io.ts';

const OPENAI = { OPENAI_API_KEY: OPENAI_KEY };
const DAY_MS = 86_400_000;
const PUBLIC = { ONETAKE_PUBLIC_URL: 'https://images.example' };
const CALLERS = { ONETAKE_API_KEYS: `app:${CANARY}-0f9e8d7c6b5a` };

/** What can be wrong with who calls, who is told, and what was spent. */
export const USE_FAULTS: readonly Planted[] = [
  {
    name: 'open to the world',
    env: PUBLIC,
    gateway: { keys: [] },
    finds: 'access.open',
    advice: /anybody who finds it spends/,
    exit: 2,
  },
  {
    name: 'callers’ keys over http',
    env: { ...CALLERS, ONETAKE_PUBLIC_URL: 'http://images.example' },
    finds: 'access.plain-http',
    advice: /https/,
    exit: 1,
  },
  {
    name: 'links that lead nowhere',
    env: { ...CALLERS, ONETAKE_HOST: '0.0.0.0' },
    finds: 'access.no-public-url',
    advice: /links are built on it/,
    exit: 1,
  },
  {
    name: 'a provider’s key given to a caller',
    env: { ...OPENAI, ONETAKE_API_KEYS: `app:${OPENAI_KEY}` },
    finds: 'access.provider-key',
    advice: /keys of their own/,
    exit: 1,
  },
  {
    name: 'a caller’s key that can be guessed',
    env: { ONETAKE_API_KEYS: `app:${CANARY}` },
    finds: 'access.short-key',
    advice: /random characters/,
    exit: 1,
  },
  {
    name: 'pages over http',
    yaml: 'cors:\n  origins: ["http://app.example"]\n',
    finds: 'access.cors-http',
    advice: /https origins/,
    exit: 1,
  },
  {
    name: 'a webhook over http',
    env: { ...PUBLIC, ...CALLERS },
    yaml: 'webhooks:\n  keys:\n    app:\n      url: http://app.example/hooks\n',
    finds: 'webhooks.plain-http',
    advice: /https/,
    exit: 1,
  },
  {
    name: 'a webhook whose name leads to a private address',
    env: { ...PUBLIC, ...CALLERS },
    yaml: 'webhooks:\n  keys:\n    app:\n      url: https://hooks.internal/x\n',
    io: { resolve: async () => well(['10.0.0.7']) },
    finds: 'webhooks.private',
    advice: /allow_private/,
    exit: 2,
  },
  {
    name: 'webhooks that were given up',
    gateway: { webhooksGivenUp: 4 },
    finds: 'webhooks.given-up',
    advice: /send them again/,
    exit: 1,
  },
  {
    name: 'outcomes that nobody knows',
    gateway: { unknown: 2 },
    finds: 'gateway.unknown-outcomes',
    advice: /settle each/,
    exit: 1,
  },
  {
    name: 'a gateway whose store does not answer',
    gateway: { isReady: false },
    finds: 'gateway.not-ready',
    advice: /log/,
    exit: 2,
  },
  {
    name: 'a key near the end of its budget',
    gateway: {
      keys: [{ name: 'app', isRevoked: false, budget: { microUsd: 5_000_000, per: 'day', usedMicroUsd: 4_800_000 } }],
    },
    finds: 'budgets.nearly-spent',
    says: /\$4\.80 of \$5\.00 per day/,
    advice: /Raise its budget/,
    exit: 1,
  },
  {
    name: 'a key that is expired and in use',
    gateway: {
      use: [costRow({ model: 'openai/gpt-image-2', key: 'app' }, { requests: 7 })],
      keys: [{ name: 'app', isRevoked: false, expiresAt: TODAY - DAY_MS }],
    },
    finds: 'budgets.ended',
    says: /used 7 times/,
    advice: /another key/,
    exit: 1,
  },
  {
    name: 'a model whose price nobody knows',
    gateway: { use: [costRow({ model: 'lab/x', key: 'app' }, { requests: 2, unpriced: 2 })], keys: [] },
    finds: 'budgets.unpriced',
    advice: /models:/,
    exit: 1,
  },
  {
    name: 'a prompt that no model draws',
    options: { prompt: 'x'.repeat(40_000) },
    finds: 'prompt.refused',
    advice: /./,
    exit: 2,
  },
];
