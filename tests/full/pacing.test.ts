import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runFile } from '../rig/processes.ts';

const BENCH = fileURLToPath(new URL('../../bench/pacing.ts', import.meta.url));

test('the aims of the pacing bench hold in small', async (t) => {
  const bench = runFile(BENCH, ['--quick']);
  const code = await bench.ended(180_000);
  t.diagnostic(bench.stdout());
  assert.equal(code, 0, bench.stdout());
});
