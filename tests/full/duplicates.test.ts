import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runFile } from '../rig/processes.ts';

const BENCH = fileURLToPath(new URL('../../bench/duplicates.ts', import.meta.url));

test('every claim of the duplicates table holds', async () => {
  const bench = runFile(BENCH, ['--json']);
  const code = await bench.ended(180_000);
  const { claims } = JSON.parse(bench.stdout());
  const broken = claims.filter((claim: { broken: unknown[] }) => claim.broken.length > 0);
  assert.deepEqual({ code, broken }, { code: 0, broken: [] });
});
