import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../testing/cli.ts';

test('the sandbox runs alone until it is told to end', async (t) => {
  const stop = new AbortController();
  let bill: Promise<unknown> | undefined;
  const onOutput = (text: string) => {
    const [, url] = /^sandbox {3}(http:\S+)$/m.exec(text) ?? [];
    bill ??= fetch(`${url}/ledger`)
      .then((answer) => answer.json())
      .finally(() => stop.abort());
  };
  const { exitCode, stdout } = await cli(t, ['sandbox', '--port', '0'], { signal: stop.signal, onOutput });
  assert.equal(exitCode, 0);
  assert.deepEqual(await bill, { total: { requests: 0, images: 0, charged: 0, charged_usd: 0 }, models: {} });
  assert.match(stdout, /^ {2}the bill {7}curl -s http:\/\/127\.0\.0\.1:\d+\/ledger$/m);
});
