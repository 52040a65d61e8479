import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPrefer } from './prefer.ts';

const NOTHING = { respondAsync: false };

test('respond-async and wait are read alone, together, in any case and with white space', () => {
  assert.deepEqual(readPrefer('respond-async'), { respondAsync: true });
  assert.deepEqual(readPrefer('wait=10'), { respondAsync: false, waitSeconds: 10 });
  assert.deepEqual(readPrefer('respond-async, wait=10'), { respondAsync: true, waitSeconds: 10 });
  assert.deepEqual(readPrefer('Wait = "10" ,\tRESPOND-ASYNC'), { respondAsync: true, waitSeconds: 10 });
  assert.deepEqual(readPrefer('respond-async=""'), { respondAsync: true });
  assert.deepEqual(readPrefer(['respond-async', 'wait=0']), { respondAsync: true, waitSeconds: 0 });
});

test('what is not known, and parameters, are passed over', () => {
  assert.deepEqual(readPrefer('return=minimal; foo="a, respond-async", wait=3; x'), {
    respondAsync: false,
    waitSeconds: 3,
  });
  assert.deepEqual(readPrefer('respond-async; priority=5'), { respondAsync: true });
  assert.deepEqual(readPrefer(', ,respond-async,'), { respondAsync: true });
});

test('of a preference given twice the first counts', () => {
  assert.deepEqual(readPrefer('wait=1, wait=2'), { respondAsync: false, waitSeconds: 1 });
  assert.deepEqual(readPrefer('wait=soon, wait=2'), NOTHING);
});

test('a longer wait is cut', () => {
  assert.equal(readPrefer('wait=3600').waitSeconds, 3_600);
  assert.equal(readPrefer('wait=86400').waitSeconds, 3_600);
});

test('what is malformed is ignored, and what follows it is still read', () => {
  const bad = ['', 'wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait=1e2', 'wait=abc', 'respond-async=1', 'respond async'];
  for (const header of [...bad, undefined, '"respond-async"', '=,;,', 'wait="1', 'ünï']) {
    assert.deepEqual(readPrefer(header), NOTHING, String(header));
  }
  assert.deepEqual(readPrefer('@ @, respond-async'), { respondAsync: true });
});

test('no header takes long or throws', () => {
  const pieces = fc.constantFrom('respond-async', 'wait', '=', '"', '\\', ';', ',', ' ', '10', 'a', '\t');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 400 }), (parts) => {
      const { waitSeconds = 0 } = readPrefer(parts.join(''));
      assert.ok(waitSeconds >= 0 && waitSeconds <= 3_600);
    }),
  );
  const startedAt = performance.now();
  for (const piece of ['a;', 'a; ', '; ', '" ', 'a=" ,', '\\"']) {
    readPrefer(piece.repeat(16_000 / piece.length));
    readPrefer(`a${piece.repeat(16_000 / piece.length)}@`);
  }
  assert.ok(performance.now() - startedAt < 1_000);
});
