import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, loadConfig } from '../config.ts';

function read(t: TestContext, yaml: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'metrics-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'onetake.yaml'), yaml);
  return loadConfig({ env: {}, cwd }).metrics;
}

test('metrics are for administrators unless they are opened', (t) => {
  assert.deepEqual(read(t, 'sandbox: on'), { open: false });
  for (const yaml of ['metrics: { open: true }', 'metrics: { open: on }'])
    assert.deepEqual(read(t, yaml), { open: true });
  assert.throws(
    () => read(t, 'metrics: { open: perhaps }'),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      return /metrics\.open: expected true or false/.test(error.message);
    },
  );
  assert.throws(() => read(t, 'metrics: { opened: true }'), /did you mean|open/);
});
