import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, loadConfig } from '../config.ts';

function directory(t: TestContext): string {
  const cwd = mkdtempSync(join(tmpdir(), 'degrade-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'sorry.png'), 'a picture, as far as anybody looks here');
  return cwd;
}

function load(t: TestContext, degrade: string) {
  const cwd = directory(t);
  writeFileSync(
    join(cwd, 'onetake.yaml'),
    `routes: { best: { targets: [sandbox/ok], degrade: ${degrade} }, plain: [sandbox/ok] }`,
  );
  return { cwd, read: () => loadConfig({ env: {}, cwd }).degrade };
}

test('a route says what stands in, in which order; a file is looked for beside the configuration', (t) => {
  const { cwd, read } = load(t, '{ to: [file, placeholder], file: sorry.png }');
  assert.deepEqual({ ...read() }, { best: { to: ['file', 'placeholder'], file: join(cwd, 'sorry.png') } });
  assert.deepEqual({ ...load(t, '{}').read() }, { best: { to: ['stale', 'similar', 'placeholder'] } });
  assert.deepEqual(load(t, '{ file: sorry.png }').read().best?.to, ['stale', 'similar', 'file', 'placeholder']);
});

test('what cannot be meant is a fault', (t) => {
  const faults = (degrade: string) => {
    try {
      load(t, degrade).read();
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.faults.join('\n');
    }
    return '';
  };
  assert.match(faults('{ to: [file] }'), /routes\.best\.degrade\.file: expected the path of a picture, got nothing/);
  assert.match(faults('{ to: [stale], file: sorry.png }'), /routes\.best\.degrade\.to: expected file among them/);
  assert.match(faults('{ file: gone.png }'), /routes\.best\.degrade\.file: expected a readable picture, got "ENOENT"/);
  assert.match(faults('{ to: [guess] }'), /routes\.best\.degrade\.to\.0: expected one of stale, similar, file/);
  assert.match(faults('{ too: [stale] }'), /routes\.best\.degrade\.too: expected one of to, file, got an unknown key/);
});
