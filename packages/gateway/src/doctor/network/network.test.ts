import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CANARY, diagnoseSetUp, testHealthy, testPlanted } from '../testing/planted.ts';
import { answer, badly, TODAY, well } from '../testing/well-io.ts';
import type { DoctorRequest } from '../world.ts';
import { NETWORK_CHECKS } from './checks.ts';
import { ANSWER_FAULTS } from './testing/answer-faults.ts';
import { answering, COMFYUI, DAY_MS, listOf, OLLAMA, OPENAI, showing } from './testing/scripted-net.ts';
import { THROUGH_FAULTS } from './testing/through-faults.ts';
import { WAY_FAULTS } from './testing/way-faults.ts';

testPlanted([...WAY_FAULTS, ...ANSWER_FAULTS, ...THROUGH_FAULTS]);

testHealthy(
  [
    { name: 'nothing configured' },
    { name: 'a configuration that cannot be read', yaml: 'routes: 5\n' },
    {
      name: 'OpenAI, whose list has what is routed',
      env: OPENAI,
      yaml: 'routes:\n  best: { targets: [openai/gpt-image-2] }\n',
      io: answering({ '/models': listOf('gpt-image-2', 'gpt-4o') }),
    },
    { name: 'an empty list of models', env: OPENAI, yaml: 'routes:\n  best: { targets: [openai/gpt-image-2] }\n' },
    {
      name: 'a key that may not list models',
      env: OPENAI,
      io: answering({
        '/models': answer(403, { error: { message: 'Missing scopes: api.model.read', code: 'missing_scope' } }),
      }),
    },
    {
      name: 'a routed model that is told of alone',
      env: OPENAI,
      yaml: 'routes:\n  best: { targets: [openai/gpt-image-2] }\n',
      io: answering({ '/models/gpt-image-2': answer(200, { id: 'gpt-image-2' }), '/models': listOf('gpt-4o') }),
    },
    {
      name: 'a status page with something small',
      env: OPENAI,
      io: answering({
        'status.openai.com': answer(200, { status: { indicator: 'minor', description: 'Login is slow' } }),
      }),
    },
    { name: 'a status page that does not open', env: OPENAI, io: answering({ 'status.openai.com': badly('TIMEOUT') }) },
    {
      name: 'a proxy variable beside a way out',
      env: { ...OPENAI, HTTPS_PROXY: 'http://proxy.corp:3128', https_proxy: 'http://proxy.corp:3128' },
    },
    {
      name: 'Azure by a private link',
      env: { AZURE_OPENAI_API_KEY: 'abc', AZURE_OPENAI_ENDPOINT: 'https://mine.openai.azure.com' },
      io: { resolve: async () => well(['10.0.0.4']) },
    },
    {
      name: 'a certificate that lives for six days',
      env: OPENAI,
      io: showing({ authorized: true, validFrom: TODAY - 3 * DAY_MS, validTo: TODAY + 3 * DAY_MS }),
    },
    {
      name: 'a ComfyUI that holds a model in memory',
      env: COMFYUI,
      io: answering({
        '/system_stats': answer(200, {
          devices: [
            { name: 'cuda:0', vram_total: 24e9, vram_free: 1e9, torch_vram_total: 22e9, torch_vram_free: 0.5e9 },
          ],
        }),
        '/models/checkpoints': answer(200, ['sd_xl_base_1.0.safetensors']),
      }),
    },
    { name: 'an Ollama with a model', env: OLLAMA, io: answering({ '/api/tags': answer(200, { models: [{}] }) }) },
    {
      name: 'fal, where a job that never was is asked for',
      env: { FAL_KEY: 'abc' },
      io: answering({ '/requests/': answer(404, { detail: 'not found' }) }),
    },
    { name: 'providers without a free call', env: { IDEOGRAM_API_KEY: 'abc', AWS_BEARER_TOKEN_BEDROCK: 'abc' } },
    {
      name: 'balances',
      env: {
        STABILITY_API_KEY: 'a',
        BFL_API_KEY: 'b',
        LUMA_API_KEY: 'c',
        LEONARDO_API_KEY: 'd',
        RECRAFT_API_TOKEN: 'e',
      },
      io: answering({
        '/user/balance': answer(200, { credits: 900 }),
        '/v1/credits': answer(200, { credits: 1000, credit_balance: 5000 }),
        '/me': answer(200, { user_details: [{ apiPaidTokens: 3500, apiSubscriptionTokens: null }], credits: 4000 }),
      }),
    },
    {
      name: 'the gateway behind its public address',
      env: { ONETAKE_PUBLIC_URL: 'https://images.example.com' },
      gateway: {},
      io: answering({ '/health/live': answer(200, { status: 'live' }) }),
    },
    {
      name: 'a server of one’s own with a public name and an address inside',
      env: { ONETAKE_MYLAB_BASE_URL: 'https://lab.example.com/v1' },
      io: { resolve: async () => well(['127.0.0.1']) },
    },
    { name: 'a sandbox that plays OpenAI', env: { ONETAKE_OPENAI_BASE_URL: 'sandbox' } },
  ],
  NETWORK_CHECKS,
);

test('each key of a pool is asked, once for all checks', async () => {
  const asked: string[] = [];
  const io = {
    fetch: async ({ url, headers }: DoctorRequest) => {
      if (url.endsWith('/models')) asked.push(headers?.authorization ?? '');
      const isSecond = headers?.authorization?.endsWith('two') === true;
      return well(answer(isSecond ? 401 : 200, isSecond ? { error: { message: 'no', code: 'invalid_api_key' } } : {}));
    },
  };
  const yaml = 'providers:\n  openai: { key_env: [ONE, TWO] }\n';
  const env = { ONE: `${CANARY}-one`, TWO: `${CANARY}-two` };
  const { findings } = await diagnoseSetUp({ name: 'pool', env, yaml, io }, NETWORK_CHECKS);
  assert.deepEqual(asked.toSorted(), [`Bearer ${CANARY}-one`, `Bearer ${CANARY}-two`]);
  const keys = findings.filter(({ check }) => check === 'key').map(({ id, subject }) => [id, subject]);
  assert.deepEqual(keys, [
    ['key.accepted', 'openai:ONE'],
    ['key.refused', 'openai:TWO'],
  ]);
  assert.ok(!JSON.stringify(findings).includes(CANARY));
});

test('each server of a pool is looked at', async () => {
  const yaml = 'providers:\n  comfyui: { base_url: ["http://10.0.0.1:8188", "http://10.0.0.2:8188"] }\n';
  const io = answering({ '10.0.0.2': badly('TIMEOUT') });
  const { findings } = await diagnoseSetUp({ name: 'pool', yaml, io }, NETWORK_CHECKS);
  const found = findings.filter(({ level }) => level === 'broken').map(({ id, subject }) => [id, subject]);
  assert.deepEqual(found, [['local.no-answer', 'comfyui (10.0.0.2:8188)']]);
});

test('only the provider that was asked for is looked at, and none with --offline', async () => {
  const env = { ...OPENAI, STABILITY_API_KEY: 'abc' };
  const hosts: string[] = [];
  const io = {
    fetch: async ({ url }: DoctorRequest) => {
      hosts.push(new URL(url).hostname);
      return well(answer(200, {}));
    },
  };
  await diagnoseSetUp({ name: 'one', env, io, options: { provider: 'stability' } }, NETWORK_CHECKS);
  assert.deepEqual([...new Set(hosts)], ['api.stability.ai', 'status.stability.ai']);
  hosts.length = 0;
  await diagnoseSetUp({ name: 'none', env, io, options: { offline: true } }, NETWORK_CHECKS);
  assert.deepEqual(hosts, []);
});

test('at least forty different findings are planted', () => {
  const ids = new Set([...WAY_FAULTS, ...ANSWER_FAULTS, ...THROUGH_FAULTS].map(({ finds }) => finds));
  assert.ok(ids.size >= 40, `${ids.size}`);
});
