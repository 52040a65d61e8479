import assert from 'node:assert/strict';
import { test } from 'node:test';
import { billedBetween, billName, groupsOf } from './faults.ts';
import { stockRun } from './stock-sdk.ts';
import { verdictWords } from './verdict.ts';

const isBilled = (name: string) => ['ok', '500-billed', 'reset-after-accept', 'truncated', 'partial'].includes(name);
const short = (script: string) => {
  const run = stockRun(script, isBilled);
  return run && [run.tries.length, run.charged, run.hasPicture];
};

test('the SDK sends what fails three times, and pays as often as the provider bills', () => {
  assert.deepEqual(short('reset-after-accept'), [3, 3, false]);
  assert.deepEqual(short('500-billed'), [3, 3, false]);
  assert.deepEqual(short('500'), [3, 0, false]);
  assert.deepEqual(short('quota'), [3, 0, false]);
});

test('what looks like an answer it takes, and a script goes on from try to try', () => {
  assert.deepEqual(short('truncated'), [1, 1, false]);
  assert.deepEqual(short('ok'), [1, 1, true]);
  assert.deepEqual(short('500,ok'), [2, 1, true]);
  assert.deepEqual(short('500-billed, 429:2,ok'), [3, 2, true]);
  assert.deepEqual(short('500,500,500,ok'), [3, 0, false], 'the fourth is never sent');
  assert.deepEqual(short('partial'), [1, 0, false]);
});

test('nothing is said of what nobody measured', () => {
  assert.equal(short('stuck'), undefined);
  assert.equal(short('500,stuck'), undefined);
  assert.equal(short(''), undefined);
});

test('every fault for pictures stands in one group, new ones under the last', () => {
  const fault = (name: string, api: 'images' | 'tasks' | 'chat' = 'images') => ({
    ...{ api, name, example: name, charges: true, sentence: 'Does so.' },
  });
  const groups = groupsOf({
    faults: [fault('ok'), fault('500'), fault('brand-new'), fault('stuck', 'tasks'), fault('usage', 'chat')],
    ports: [{ name: 'refuse', sentence: 'Refuses.' }],
  });
  assert.deepEqual(
    groups.map(({ title, choices }) => [title, choices.map(({ provider, name }) => `${provider}/${name}`)]),
    [
      ['It works', ['sandbox/ok']],
      ['The provider fails', ['sandbox/500']],
      ['No connection', ['sandbox/refuse']],
      ['Jobs that are looked at', ['sandbox-task/stuck']],
      ['Others', ['sandbox/brand-new']],
    ],
  );
});

test('the difference of two bills is that of the models in question', () => {
  const bill = (charged: number, others: number) => ({
    total: { requests: 9, images: 9, charged: 9, charged_usd: 9 },
    models: {
      '500,ok': { requests: charged + 1, images: charged, charged, charged_usd: charged * 0.04 },
      other: { requests: others, images: others, charged: others, charged_usd: others * 0.04 },
    },
  });
  const empty = { total: { requests: 0, images: 0, charged: 0, charged_usd: 0 }, models: {} };
  assert.equal(billName('sandbox/500,ok'), '500,ok');
  assert.equal(billName('sandbox-task/stuck'), 'stuck');
  assert.deepEqual(billedBetween(bill(1, 1), bill(3, 9), ['500,ok']), {
    ...{ requests: 2, images: 2, charged: 2, charged_usd: 0.08 },
  });
  assert.equal(billedBetween(empty, bill(1, 1), ['500,ok', 'other']).charged, 2);
  assert.equal(billedBetween(bill(3, 3), empty, ['500,ok']).charged, 0, 'somebody tore the bill up');
});

test('what was changed is said in money where there is a price, and nothing is claimed where nothing was', () => {
  const ended = (script: string, requests: number, charged: number, hasPicture: boolean) => {
    const stock = stockRun(script, isBilled);
    assert.ok(stock);
    const bill = { requests, images: charged, charged, charged_usd: charged * 0.04 };
    return verdictWords({ stock, bill, price: 0.04, hasPicture });
  };
  assert.equal(ended('reset-after-accept', 1, 1, false), '$0.08 less on the bill.');
  assert.match(ended('truncated', 1, 1, false), /calls it a success/);
  assert.match(ended('500', 2, 0, false), /1 request fewer/);
  assert.match(ended('500,500,500,ok', 4, 1, true), /The picture, where the SDK has none/);
  assert.match(ended('ok', 1, 1, true), /nothing to save/);
  assert.match(ended('ok', 2, 2, true), /1 picture more/);
});
