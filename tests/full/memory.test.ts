import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AIM_RSS_BYTES, measureMemory } from '../../bench/memory.ts';

test('100 pictures of 8 MB at once: none fails, and the gateway stays under 400 MiB', async () => {
  const { peakRssBytes, failures, firstFailure } = await measureMemory();
  assert.deepEqual({ failures, firstFailure }, { failures: 0, firstFailure: undefined });
  assert.ok(peakRssBytes < AIM_RSS_BYTES, `peak memory was ${Math.round(peakRssBytes / 1024 ** 2)} MiB`);
});
