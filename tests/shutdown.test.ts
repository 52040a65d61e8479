import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from './rig/gateway.ts';

test('a gateway that is told to end waits for answers, not for connections that their callers keep', async () => {
  const gateway = await startGateway();
  try {
    const answer = fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox/slow:2', prompt: 'a red fox' }),
    }).then(async (response) => ({ status: response.status, body: await response.text() }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const begun = performance.now();
    const ended = gateway.end();
    assert.equal((await answer).status, 200);
    assert.equal(await ended, 0);
    const tookMs = performance.now() - begun;
    assert.ok(tookMs < 9_000, `it ended after ${Math.round(tookMs)} ms`);
  } finally {
    await gateway.close();
  }
});
