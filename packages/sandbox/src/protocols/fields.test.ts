import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { RefusedError } from '../wire/answer.ts';
import {
  needText,
  readBoolean,
  readChoice,
  readInteger,
  readLink,
  readList,
  readNumber,
  readObject,
  sidesOf,
} from './fields.ts';
import { callOf, referenceOf } from './orders.ts';

const PNG = Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1');

function refused(read: () => unknown): readonly unknown[] {
  try {
    return ['read', read()];
  } catch (error) {
    assert.ok(error instanceof RefusedError && error.refusal.reason === 'invalid');
    return [error.refusal.param, error.refusal.code];
  }
}

test('what is absent is undefined or empty, what must be there is missing', () => {
  assert.deepEqual([readInteger({}, 'n', 1, 4), readInteger({ n: null }, 'n', 1, 4)], [undefined, undefined]);
  assert.deepEqual([readBoolean({}, 'b'), readObject({}, 'o'), readList({ l: null }, 'l')], [false, {}, []]);
  assert.deepEqual(
    refused(() => needText({}, 'prompt')),
    ['prompt', 'missing'],
  );
  assert.deepEqual(
    refused(() => needText({ prompt: '' }, 'prompt')),
    ['prompt', 'range'],
  );
});

test('numbers and booleans of a form are texts', () => {
  assert.deepEqual([readInteger({ n: '3' }, 'n', 1, 4), readBoolean({ b: 'true' }, 'b')], [3, true]);
  assert.deepEqual(
    refused(() => readNumber({ n: '' }, 'n', 0, 1)),
    ['n', 'type'],
  );
  assert.deepEqual(
    refused(() => readInteger({ n: 1.5 }, 'n', 1, 4)),
    ['n', 'type'],
  );
  assert.deepEqual(
    refused(() => readInteger({ n: 5 }, 'n', 1, 4)),
    ['n', 'range'],
  );
  assert.deepEqual(
    refused(() => readBoolean({ b: 'yes' }, 'b')),
    ['b', 'type'],
  );
});

test('choices, links, objects and lists are what they say', () => {
  assert.equal(readChoice({ f: 'png' }, 'f', ['png', 'jpeg']), 'png');
  assert.deepEqual(
    refused(() => readChoice({ f: 'gif' }, 'f', ['png'])),
    ['f', 'choice'],
  );
  assert.deepEqual(
    refused(() => readLink({ u: 'ftp://a' }, 'u')),
    ['u', 'type'],
  );
  assert.deepEqual(
    refused(() => readObject({ o: [] }, 'o')),
    ['o', 'type'],
  );
  assert.deepEqual(
    refused(() => readList({ l: [1, 2] }, 'l', 1)),
    ['l', 'range'],
  );
});

test('sides have the ratio and about the pixels', () => {
  assert.deepEqual(sidesOf('1:1'), { width: 1024, height: 1024 });
  assert.deepEqual(sidesOf('16:9', 1024 ** 2, 64), { width: 1344, height: 768 });
  assert.deepEqual([sidesOf('0:1'), sidesOf('wide')], [undefined, undefined]);
});

test('a reference is base64, a data URL, a link to this machine that is downloaded, or any other that is not', async (t) => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/there' ? 200 : 404).end(PNG);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const base64 = PNG.toString('base64');
  for (const value of [base64, `data:image/png;base64,${base64}`, `${url}/there`]) {
    assert.deepEqual(await referenceOf(value, 'image'), PNG);
  }
  assert.equal((await referenceOf('https://example.com/a.png', 'image')).toString(), 'https://example.com/a.png');
  for (const value of [7, '', 'bm90IGEgcGljdHVyZQ==', `${url}/gone`]) {
    await assert.rejects(referenceOf(value, 'image'), (error) => error instanceof RefusedError);
  }
});

test('an order is one PNG of 1024 pixels unless it says otherwise, and an edit where it has references', () => {
  const { operation, n, width, height, format } = callOf({ model: 'm', prompt: 'p' });
  assert.deepEqual([operation, n, width, height, format], ['generate', 1, 1024, 1024, 'png']);
  const edit = callOf({ model: 'm', prompt: 'p', references: [PNG], width: 9000 });
  assert.deepEqual([edit.operation, edit.width, edit.reference?.length], ['edit', 4096, 64]);
});
