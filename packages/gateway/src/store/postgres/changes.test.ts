import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packChanges, unpackChanges } from './changes.ts';

test('changes survive packing, whatever they name, and every payload fits', () => {
  const name = fc.string({ unit: 'binary', maxLength: 40 });
  const change = fc.oneof(
    name.map((id) => ({ kind: 'finished', id })),
    name.map((queue) => ({ kind: 'waiting', queue })),
    fc.constant({ kind: 'webhook' }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
      const payloads = packChanges(changes.map((one) => JSON.stringify(one)));
      assert.ok(payloads.every((payload) => Buffer.byteLength(payload) < 8_000));
      assert.deepEqual(payloads.flatMap(unpackChanges), changes);
    }),
  );
});

test('hundreds of changes take two payloads, and one too large for any is left out', () => {
  const changes = Array.from({ length: 300 }, (_, index) => JSON.stringify({ kind: 'finished', id: `gen_${index}` }));
  assert.equal(packChanges(changes).length, 2);
  const large = JSON.stringify({ kind: 'cell', key: 'k'.repeat(9_000) });
  assert.deepEqual(packChanges([large, '{"kind":"webhook"}']), ['[{"kind":"webhook"}]']);
});

test('what others say on the channel is passed over', () => {
  for (const payload of [undefined, '', 'null', '{"kind":"webhook"}', '[null, 1, {"kind":"unheard"}]', '[']) {
    assert.deepEqual(unpackChanges(payload), []);
  }
});
