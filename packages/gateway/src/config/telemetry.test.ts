import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { configView } from '../http/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-telemetry-'));
after(() => rmSync(directory, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}): Config {
  writeFileSync(join(directory, 'onetake.yaml'), yaml);
  return loadConfig({ env, cwd: directory });
}

function faults(yaml: string, env: Record<string, string> = {}): readonly string[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
const KEY = 'canary-of-the-collector';

suite('telemetry', () => {
  test('is off until somebody says where it goes', () => {
    assert.equal(load('').telemetry, undefined);
    assert.equal(load('telemetry: {prompts: on}').telemetry, undefined);
    assert.equal(load('', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }).telemetry, undefined);
  });

  test('takes OpenTelemetry’s own variables, and the file before them', () => {
    const env = { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: `X-Key=${KEY}%20x,team=a`, OTEL_SERVICE_NAME: 'pictures' };
    assert.deepEqual(load('', env).telemetry, {
      ...{ endpoint: 'http://collector:4318', headers: { 'x-key': `${KEY} x`, team: 'a' }, serviceName: 'pictures' },
      ...{ traces: true, metrics: true, prompts: false, propagate: true },
    });
    const yaml = 'telemetry: {otlp_endpoint: "https://o.example/otlp/v1/traces", service_name: shop, propagate: off}';
    const { telemetry } = load(yaml, env);
    assert.deepEqual(
      [telemetry?.endpoint, telemetry?.serviceName, telemetry?.propagate],
      ['https://o.example/otlp', 'shop', false],
    );
  });

  test('reads its headers from the variable that is named', () => {
    const yaml = 'telemetry: {otlp_endpoint: "http://c", headers_env: COLLECTOR}';
    assert.deepEqual(load(yaml, { COLLECTOR: `authorization=Bearer ${KEY}` }).telemetry?.headers, {
      authorization: `Bearer ${KEY}`,
    });
    assert.match(faults(yaml)[0] ?? '', /^telemetry\.headers_env: expected a variable that is set/);
  });

  test('says what is wrong, and never a key', () => {
    const wrong = [
      faults('telemetry: {otlp_endpoint: "collector:4318"}'),
      faults('telemetry: {otlp_endpoint: "http://user:canary-of-the-collector@c"}'),
      faults('telemetry: {headers_env: "authorization=Bearer canary-of-the-collector"}'),
      faults('', { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: KEY }),
      faults('', { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: `a=%0a${KEY}` }),
      faults('telemetry: {endpoint: "http://c"}'),
    ];
    for (const one of wrong) assert.equal(one.length, 1);
    assert.ok(!wrong.flat().join().includes(KEY), wrong.flat().join('\n'));
  });

  test('is shown by what it sends, not by what opens the collector', () => {
    const config = load('', { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: `x-key=${KEY}` });
    const text = JSON.stringify(configView(config, { defaultModel: undefined }));
    assert.ok(text.includes('http://collector:4318') && text.includes('"x-key"') && !text.includes(KEY));
  });
});

suite('the log', () => {
  test('is quiet by default; the variable goes before the file', () => {
    assert.deepEqual(load('').log, { level: 'warn' });
    const yaml = 'log: {level: info, format: json}';
    assert.deepEqual(load(yaml).log, { level: 'info', format: 'json' });
    assert.deepEqual(load(yaml, { ONETAKE_LOG_LEVEL: 'DEBUG' }).log, { level: 'debug', format: 'json' });
  });

  test('has levels by name', () => {
    assert.match(
      faults('', { ONETAKE_LOG_LEVEL: 'loud' })[0] ?? '',
      /^ONETAKE_LOG_LEVEL: expected one of trace, .*got "loud"/,
    );
    assert.match(faults('log: {level: loud}')[0] ?? '', /^log\.level: expected one of trace/);
    assert.match(faults('log: {level: info, colour: on}')[0] ?? '', /^log\.colour: expected one of level, format/);
  });
});
