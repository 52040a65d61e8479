import { OPENAI_KEY, REPLICATE_KEY } from './key-faults.ts';
import { CANARY, type SetUp } from './planted.ts';
import { costRow } from './use.ts';
import { badly, TODAY } from './well-io.ts';

const CALLERS = `app:${CANARY}-0f9e8d7c6b5a,site:${CANARY}-5a6b7c8d9e0f`;

/** Set-ups with nothing wrong in them: the doctor must not alarm anybody. */
export const HEALTHY: readonly SetUp[] = [
  { name: 'nothing configured: the sandbox alone' },
  { name: 'nothing there yet', io: { stat: async () => badly('ENOENT') } },
  { name: 'OpenAI with a key', env: { OPENAI_API_KEY: OPENAI_KEY } },
  { name: 'OpenAI with an old key', env: { OPENAI_API_KEY: `sk-${CANARY}${'Zx9'.repeat(13)}` } },
  {
    name: 'several providers, routes and a default',
    env: {
      OPENAI_API_KEY: OPENAI_KEY,
      REPLICATE_API_TOKEN: REPLICATE_KEY,
      STABILITY_API_KEY: `sk-${CANARY}${'Qw7'.repeat(13)}`,
    },
    yaml: 'default_model: best\nroutes:\n  best: [openai/gpt-image-2, openai/gpt-image-2.5-flare]\n',
  },
  {
    name: 'a server of one’s own, whose key may look like anything',
    env: { LAB_KEY: 'test' },
    yaml: 'providers:\n  lab:\n    base_url: http://127.0.0.1:1234/v1\n    key_env: LAB_KEY\n',
  },
  {
    name: 'OpenAI’s name for another server, with any key',
    env: { OPENAI_API_KEY: 'sk-test', ONETAKE_OPENAI_BASE_URL: 'http://127.0.0.1:4000/v1' },
  },
  { name: 'a key file', env: { OPENAI_API_KEY_FILE: 'DIR/key' }, files: { key: `${OPENAI_KEY}\n` } },
  {
    name: 'PostgreSQL and shared pictures',
    env: {
      OPENAI_API_KEY: OPENAI_KEY,
      ONETAKE_DATABASE_URL: `postgres://onetake:${CANARY}@db.example/onetake`,
      ONETAKE_ASSETS: 'DIR/shared',
    },
  },
  {
    name: 'keys, a public address and webhooks',
    env: {
      OPENAI_API_KEY: OPENAI_KEY,
      ONETAKE_HOST: '0.0.0.0',
      ONETAKE_API_KEYS: CALLERS,
      ONETAKE_PUBLIC_URL: 'https://images.example',
    },
    yaml: 'webhooks:\n  keys:\n    app:\n      url: https://app.example/hooks\ncors:\n  origins: ["https://app.example", "http://localhost:3000"]\n',
  },
  {
    name: 'a gateway that runs, holds its port and has nothing open',
    env: { OPENAI_API_KEY: OPENAI_KEY },
    io: { listen: async () => badly('EADDRINUSE') },
    gateway: {
      unknown: 0,
      webhooksGivenUp: 0,
      use: [
        costRow({ model: 'openai/gpt-image-2.5-sunburst', key: 'app' }, { requests: 900 }),
        costRow({ model: 'openai/gpt-image-2.5-sunburst', key: 'page-before' }, { requests: 12 }),
      ],
      keys: [
        {
          ...{ name: 'app', isRevoked: false, expiresAt: TODAY + 30 * 86_400_000 },
          budget: { microUsd: 5_000_000, per: 'day', usedMicroUsd: 1_000_000 },
        },
        { name: 'old', isRevoked: true },
        { name: 'page', isRevoked: false, isBrowser: true, expiresAt: TODAY + 3_600_000 },
        { name: 'page-before', isRevoked: false, isBrowser: true, expiresAt: TODAY - 3_600_000 },
        {
          ...{ name: 'looks-only', isRevoked: false, images: { count: 0, per: 'day', used: 0 } },
          budget: { microUsd: 0, per: 'total', usedMicroUsd: 0 },
        },
      ],
    },
  },
  {
    name: 'a public URL of this machine, by its IPv6 address',
    env: { ONETAKE_PUBLIC_URL: 'http://[::1]:8484' },
  },
  {
    name: 'a public address, and keys of which the last one expired: nobody calls without',
    env: { OPENAI_API_KEY: OPENAI_KEY, ONETAKE_PUBLIC_URL: 'https://images.example' },
    gateway: { keys: [{ name: 'app', isRevoked: false, expiresAt: TODAY - 86_400_000 }] },
  },
  {
    name: 'a route that stands in for a model that retires',
    env: { OPENAI_API_KEY: OPENAI_KEY },
    yaml: 'routes:\n  gpt-image-1.5: [openai/gpt-image-2.5-sunburst]\n  dall-e-3: [openai/gpt-image-2]\n',
  },
  { name: 'a prompt the rules pass', options: { prompt: 'a red fox in the snow' } },
];
