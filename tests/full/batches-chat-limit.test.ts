import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT, line, yamlFor } from '../rig/chat-batches.ts';
import { startGateway } from '../rig/gateway.ts';
import { clientOf, countsOf, create, ended } from '../rig/http-batches.ts';
import { readLedger } from '../rig/ledger.ts';
import { startSandbox } from '../rig/sandbox.ts';

test('a limit that nobody told costs no line its answer', async (context) => {
  const strict = await startSandbox({ limit: 'requests=20/1s', silent: true });
  context.after(() => strict.close());
  const own = await startGateway({ yaml: yamlFor(strict) });
  context.after(() => own.close());
  const lines = Array.from({ length: 60 }, (_, index) => line(`limited ${index}`, 'lab/ok'));
  const { id } = await create(clientOf(own), lines, CHAT);
  const batch = await ended(clientOf(own), id);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['completed', 60, 60, 0]);
  const { entries } = await readLedger(strict.url);
  assert.ok(entries.length > 60 && entries.filter(({ charged }) => charged > 0).length === 60);
});
