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

suite('providers of the world', () => {
  const providerOf = (t: TestContext, yaml: string | undefined, env: Environment) => {
    const { providers } = load(t, yaml, env);
    return Object.fromEntries(providers.map(({ id, ...rest }) => [id, rest]));
  };

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
    assert.deepEqual([known?.price, known?.maxImagesPerCall], [{ perImageUsd: 0.5 }, 10]);
    assert.deepEqual(added?.capabilities?.quality, ['low']);
    assert.deepEqual(config.notices, ['models.bfl/x: no provider "bfl" is configured, so it is not read']);
  });
});
