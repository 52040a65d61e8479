import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleSnapshot } from '../testing/task-samples.ts';
import { foundPage, listFilter, pageOf, rowCursorText, searchFilter } from './listing.ts';

const ID = `gen_${'0'.repeat(24)}`;
const filterOf = (query: Record<string, string | string[]>) => listFilter({ caller: 'a', isAdmin: false, query });

test('nothing asked is the first page of the caller’s own', () => {
  assert.deepEqual(filterOf({}), { caller: 'a', limit: 20 });
  assert.deepEqual(filterOf({ limit: '3', status: 'canceled', unknown: '1', after: `7:${ID}` }), {
    caller: 'a',
    limit: 3,
    before: { createdAt: 7, id: ID },
    status: 'canceled',
    unknown: true,
  });
  for (const status of ['pending', 'processing', 'completed', 'failed'])
    assert.equal(filterOf({ status }).status, status);
});

test('a wrong one is refused by name', () => {
  const bad = [
    { limit: '0' },
    { limit: '1001' },
    { limit: 'x' },
    { status: 'done' },
    { after: '7' },
    { after: `x:${ID}` },
    { caller: 'a\0' },
    { caller: ['a', 'a'] },
  ];
  for (const query of bad) {
    assert.throws(() => filterOf(query), { code: 'invalid_value', param: Object.keys(query)[0] });
  }
});

test('a full page leads to the next, and the last one nowhere', () => {
  const rows = [sampleSnapshot({ id: ID, createdAt: 9 }), sampleSnapshot({ id: ID, createdAt: 7 })];
  const page = (limit: number) => pageOf(rows, { limit }, ({ createdAt }) => createdAt);
  assert.deepEqual(page(2), { object: 'list', data: [9, 7], next: `7:${ID}` });
  assert.equal(page(3).next, null);
  assert.equal(pageOf([], { limit: 1 }, String).next, null);
  assert.deepEqual(filterOf({ after: String(page(2).next) }).before, { createdAt: 7, id: ID });
});

test('an administrator’s page is of everybody, or of the caller that is named; others see their own', () => {
  const asked = (isAdmin: boolean, query = {}) => listFilter({ caller: 'a', isAdmin, query }).caller;
  assert.deepEqual([asked(true), asked(true, { caller: 'b' }), asked(true, { caller: 'a' })], [undefined, 'b', 'a']);
  assert.deepEqual([asked(false), asked(false, { caller: 'a' })], ['a', 'a']);
  assert.throws(() => asked(false, { caller: 'b' }), { status: 403, param: 'caller' });
});

test('a search asks for more, and what is no filter is refused by name', () => {
  const search = (query: Record<string, string>) => searchFilter({ caller: 'a', isAdmin: true, query });
  assert.deepEqual(search({}), { limit: 20 });
  const asked = { model: 'm', target: 'p/', makes: 'chat', code: 'timeout', text: 'Fox', since: '0', until: '9' };
  const { model: route, since: _, until: __, ...same } = asked;
  assert.deepEqual(search(asked), { limit: 20, route, ...same, since: 0, until: 9 });
  for (const [name, value] of Object.entries({
    makes: 'art',
    since: '-1',
    until: 'noon',
    text: '',
    model: 'x'.repeat(201),
    target: '\0',
  }))
    assert.throws(() => search({ [name]: value }), { status: 400, param: name });
});

test('a look that stopped says so, and where it goes on', () => {
  const next = { createdAt: 7, id: ID };
  const view = (row: number) => ({ row });
  assert.deepEqual(foundPage({ rows: [1] }, view, rowCursorText), { object: 'list', data: [{ row: 1 }], next: null });
  assert.deepEqual(foundPage({ rows: [], next, stoppedAfter: 5 }, view, rowCursorText), {
    ...{ object: 'list', data: [], next: `7:${ID}`, stopped_after: 5 },
  });
});
