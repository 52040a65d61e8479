import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Entry, openLedger } from './ledger.ts';
import { temporaryDirectory } from './testing/sandbox.ts';

const ENTRY: Entry = {
  at: 1,
  operation: 'generate',
  model: 'slow:4',
  prompt: 'a fox',
  played: 'slow:4',
  images: 2,
  charged: 2,
};

test('bill, positions and details come back from the file', (t) => {
  const directory = temporaryDirectory(t);
  const before = openLedger(directory);
  before.append(ENTRY);
  before.append({ ...ENTRY, model: '500', images: 0, charged: 0, position: 'p' });
  before.append({ ...ENTRY, model: '500', images: 1, charged: 1, position: 'p' });
  const after = openLedger(directory);
  t.after(() => {
    before.close();
    after.close();
  });
  assert.deepEqual(after.bill(), before.bill());
  assert.deepEqual(after.bill(), {
    total: { requests: 3, images: 3, charged: 3, charged_usd: 0.12 },
    models: {
      'slow:4': { requests: 1, images: 2, charged: 2, charged_usd: 0.08 },
      '500': { requests: 2, images: 1, charged: 1, charged_usd: 0.04 },
    },
  });
  assert.equal(after.position('p'), 2);
  assert.deepEqual(after.details(), before.details());
});

test('a line that a kill cut short is left out and does not spoil the next one', (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'ledger.jsonl');
  writeFileSync(path, `${JSON.stringify(ENTRY)}\n${JSON.stringify(ENTRY).slice(0, 30)}`);
  const ledger = openLedger(directory);
  ledger.append(ENTRY);
  ledger.close();
  const again = openLedger(directory);
  t.after(() => again.close());
  assert.equal(again.bill().total.charged, 4);
});

test('over 10 MB the file becomes a summary that says the same', (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'ledger.jsonl');
  const line = `${JSON.stringify({ ...ENTRY, position: 'p' })}\n`;
  const count = Math.ceil((10 * 1024 * 1024) / line.length) + 1;
  appendFileSync(path, line.repeat(count));
  const ledger = openLedger(directory);
  assert.ok(statSync(path).size < 1024 * 1024);
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 2);
  ledger.append({ ...ENTRY, position: 'p' });
  ledger.close();
  const again = openLedger(directory);
  t.after(() => again.close());
  assert.equal(again.bill().total.requests, count + 1);
  assert.equal(again.position('p'), count + 1);
  assert.equal(again.details().length, 1000);
});

test('a reset forgets everything, also in the file', (t) => {
  const directory = temporaryDirectory(t);
  const ledger = openLedger(directory);
  ledger.append({ ...ENTRY, position: 'p' });
  ledger.reset();
  assert.equal(ledger.position('p'), 0);
  ledger.append(ENTRY);
  ledger.close();
  const again = openLedger(directory);
  t.after(() => again.close());
  assert.equal(again.bill().total.requests, 1);
});

test('more models than are kept apart are billed together', (t) => {
  const ledger = openLedger(temporaryDirectory(t));
  t.after(() => ledger.close());
  for (let n = 0; n < 2010; n++) ledger.append({ ...ENTRY, model: `m${n}` });
  const { total, models } = ledger.bill();
  assert.equal(total.requests, 2010);
  assert.equal(models['(other models)']?.requests, 10);
});

test('a charge taken back is no request, and its job is remembered, also in the file', (t) => {
  const directory = temporaryDirectory(t);
  const ledger = openLedger(directory);
  ledger.append(ENTRY);
  ledger.append({ ...ENTRY, operation: 'cancel', images: -2, charged: -2, job: 'job_1' });
  ledger.close();
  const again = openLedger(directory);
  t.after(() => again.close());
  assert.deepEqual(again.bill().total, { requests: 1, images: 0, charged: 0, charged_usd: 0 });
  assert.equal(again.lastRefund(), 'job_1');
});
