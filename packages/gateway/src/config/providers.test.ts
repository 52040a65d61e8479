import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type Config, type Environment, loadConfig } from '../config.ts';

function directory(t: TestContext, yaml?: string): string {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  if (yaml !== undefined) writeFileSync(join(cwd, 'onetake.yaml'), yaml);
  return cwd;
}

function load(t: TestContext, yaml?: string, env: Environment = {}): Config {
  return loadConfig({ env, cwd: directory(t, yaml) });
}

const KEY = 'sk-verysecretverysecret';
const OPENAI = 'https://api.openai.com/v1';

function providerOf(t: TestContext, yaml: string | undefined, env: Environment) {
  const { providers } = load(t, yaml, env);
  return Object.fromEntries(providers.map(({ id, ...rest }) => [id, rest]));
}

suite('providers of the world', () => {
  test('a usual variable is enough, a file that holds the key too, and none of them makes one alone', (t) => {
    assert.deepEqual(providerOf(t, undefined, {}), {});
    const { bfl } = providerOf(t, undefined, { BFL_API_KEY: KEY });
    assert.deepEqual(bfl, { kind: 'bfl', baseUrl: 'https://api.bfl.ai', secret: KEY, keySource: 'BFL_API_KEY' });
    const cwd = directory(t);
    writeFileSync(join(cwd, 'key'), KEY);
    const [first] = loadConfig({ env: { REPLICATE_API_TOKEN_FILE: 'key' }, cwd }).providers;
    assert.deepEqual([first?.id, first?.secret], ['replicate', KEY]);
  });

  test('a key whose server has an address of its own waits for that address', (t) => {
    assert.deepEqual(providerOf(t, undefined, { AZURE_OPENAI_API_KEY: KEY }), {});
    const env = { AZURE_OPENAI_API_KEY: KEY, AZURE_OPENAI_ENDPOINT: 'https://pictures.openai.azure.com/' };
    assert.equal(providerOf(t, undefined, env).azure?.baseUrl, 'https://pictures.openai.azure.com');
  });

  test('the sandbox plays a provider, and goes wrong as it is told', (t) => {
    const yaml = 'providers: {bfl: {base_url: sandbox}, fal: {base_url: "sandbox:429:2,ok"}}';
    const { bfl, fal } = providerOf(t, yaml, {});
    assert.deepEqual([bfl?.played, fal?.played], [{}, { script: '429:2,ok' }]);
  });

  test('several addresses are a pool of servers, from the file or with commas from the variable', (t) => {
    const hosts = { 'comfyui:gpu-1:8188': 'http://gpu-1:8188', 'comfyui:gpu-2:80': 'http://gpu-2' };
    const pool = { kind: 'comfyui', baseUrl: 'http://gpu-1:8188', hosts, secret: '', keySource: undefined };
    const yaml = 'providers: {comfyui: {base_url: ["http://gpu-1:8188/", "http://gpu-2"]}}';
    assert.deepEqual(providerOf(t, yaml, {}).comfyui, pool);
    const env = { ONETAKE_COMFYUI_BASE_URL: ' http://gpu-1:8188, http://gpu-2/ ,' };
    assert.deepEqual(providerOf(t, undefined, env).comfyui, pool);
    assert.equal(providerOf(t, 'providers: {comfyui: {base_url: ["http://gpu-1"]}}', {}).comfyui?.hosts, undefined);
  });

  test('OpenAI in the background is another protocol at the same address', (t) => {
    const { openai } = providerOf(t, 'providers: {openai: {image_api: responses}}', { OPENAI_API_KEY: KEY });
    assert.deepEqual([openai?.kind, openai?.baseUrl, openai?.secret], ['openai-responses', OPENAI, KEY]);
  });

  test('what the user knows better of a model goes over what is known', (t) => {
    const yaml = 'models: {openai/gpt-image-2: {price: {per_image_usd: 0.5}}, openai/new: {quality: [low]}, bfl/x: {}}';
    const config = load(t, yaml, { OPENAI_API_KEY: KEY });
    const { 'gpt-image-2': known, new: added } = config.models.openai ?? {};
    assert.deepEqual([known?.price, known?.maxImagesPerCall], [{ perImageUsd: 0.5, asOf: 'config' }, 10]);
    assert.deepEqual(added?.capabilities?.quality, ['low']);
    assert.deepEqual(config.notices, ['models.bfl/x: no provider "bfl" is configured, so it is not read']);
  });
});

suite('providers of chat', () => {
  test('a server for chat on this machine is configured by its name, or by its address, never by a key alone', (t) => {
    const near = 'http://127.0.0.1:11434/v1';
    const none = { secret: '', keySource: undefined };
    assert.deepEqual(providerOf(t, 'providers: {ollama: {}}', {}).ollama, { kind: 'ollama', baseUrl: near, ...none });
    assert.deepEqual(providerOf(t, undefined, { OLLAMA_API_KEY: KEY, VLLM_API_KEY: KEY }), {});
    const env = {
      OLLAMA_HOST: '0.0.0.0',
      VLLM_BASE_URL: 'http://gpu:8000/v1',
      LMSTUDIO_BASE_URL: 'http://127.0.0.1:1234',
    };
    const { ollama, vllm, lmstudio } = providerOf(t, undefined, { ...env, VLLM_API_KEY: KEY });
    assert.deepEqual([ollama?.baseUrl, ollama?.secret], ['http://127.0.0.1:11434', '']);
    assert.deepEqual([vllm?.kind, vllm?.baseUrl, vllm?.secret], ['vllm', 'http://gpu:8000/v1', KEY]);
    assert.equal(lmstudio?.baseUrl, 'http://127.0.0.1:1234');
    const told = { OLLAMA_BASE_URL: 'http://gpu:1', OLLAMA_HOST: 'other' };
    assert.equal(providerOf(t, undefined, told).ollama?.baseUrl, 'http://gpu:1');
  });

  test('whoever speaks OpenAI’s chat needs a name, an address and a key, and no adapter', (t) => {
    const yaml = 'providers: {deepseek: {base_url: "https://api.deepseek.com/v1", key_env: DEEPSEEK_API_KEY}}';
    const { deepseek } = providerOf(t, yaml, { DEEPSEEK_API_KEY: KEY });
    const baseUrl = 'https://api.deepseek.com/v1';
    assert.deepEqual(deepseek, { kind: 'openai-compatible', baseUrl, secret: KEY, keySource: 'DEEPSEEK_API_KEY' });
  });

  test('what the user knows of models of chat stands beside what is known of pictures', (t) => {
    const price = '{per_million_tokens_usd: {input: 1, cached_input: 0.1, output: 2}}';
    const yaml = `providers: {ollama: {}, mylab: {base_url: "http://gpu:1/v1"}}
models:
  openai/gpt-5.6-luna: {reasoning: false}
  openai/gpt-9: {price: ${price}, limits: {tokens: 5/1s}}
  mylab/house: {endpoints: [chat/completions], shutdown_date: "2027-01-01"}
  mylab/painter: {price: {per_image_usd: 0.1}}
  ollama/qwen3: {price: ${price}}`;
    const { chatModels, models } = load(t, yaml, { OPENAI_API_KEY: KEY });
    const tokens = { textInput: 1, cachedInput: 0.1, imageInput: 1, output: 2 };
    const { 'gpt-5.6-luna': luna, 'gpt-9': newest } = chatModels.openai ?? {};
    assert.deepEqual([luna?.reasoning, luna?.endpoints], [false, ['chat/completions', 'responses']]);
    assert.deepEqual(newest?.price, { perMillionTokensUsd: tokens, asOf: 'config' });
    assert.deepEqual(newest?.limits, { tokens: [{ count: 5, windowMs: 1_000 }] });
    assert.equal(chatModels.mylab?.house?.shutdownDate, '2027-01-01');
    assert.deepEqual(chatModels.ollama?.qwen3?.price, { perMillionTokensUsd: tokens, asOf: 'config' });
    assert.deepEqual([Object.keys(models.mylab ?? {}), models.openai], [['painter'], undefined]);
  });

  test('a route may name models of chat, and the default of chat is one that somebody may answer to', (t) => {
    const env = { OPENAI_API_KEY: KEY };
    const yaml = `providers: {ollama: {}}
default_chat_model: fast
routes: {fast: [openai/gpt-6.2-sol, openai/gpt-of-next-year, ollama/qwen3:8b]}`;
    const config = load(t, yaml, env);
    assert.equal(config.defaultChatModel, 'fast');
    assert.equal(load(t, 'default_chat_model: gpt-6.2-sol', env).defaultChatModel, 'gpt-6.2-sol');
    assert.equal(load(t, 'default_chat_model: anything', {}).defaultChatModel, 'anything');
    const wrong = (file: string) => () => load(t, file, env);
    assert.throws(wrong('default_chat_model: gtp-6.2-sol'), /default_chat_model: .* did you mean "gpt-6.2-sol"/);
    assert.throws(wrong('default_chat_model: gpt-image-2'), /default_chat_model/);
    assert.throws(wrong('routes: {x: [ollama/qwen3]}'), /ollama is not configured: set OLLAMA_BASE_URL, or add/);
    assert.throws(wrong('routes: {x: [openai/gpt-imge-2]}'), /did you mean "openai\/gpt-image-2"/);
  });
});
