import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS } from '../faults/script.ts';
import { PROTOCOLS } from './index.ts';
import type { ProtocolCall } from './protocol.ts';
import { reasoned } from './routing.ts';

const UNSAID = /undefined|\[object Object\]|NaN/u;

test('every imitation has words for every refusal', () => {
  for (const protocol of PROTOCOLS) {
    const request = { url: '/', method: 'POST', headers: {} };
    const call = {
      protocol,
      request,
      base: '',
      params: {},
      query: new URLSearchParams(),
      headers: {},
      body: { values: {}, files: [] },
    };
    for (const { name, act } of FAULTS.values()) {
      if (act.kind !== 'refuse') continue;
      const refusal = reasoned(act.refusal({ value: 2, model: 'model', now: 0 }));
      const { status, body } = protocol.refuse(refusal, call as unknown as ProtocolCall);
      const text = Buffer.concat([...body]).toString('utf8');
      assert.ok(status >= 200 && status < 600, `${protocol.name} answers ${name} with ${status}`);
      assert.doesNotMatch(text, UNSAID, `${protocol.name} answers ${name}`);
    }
  }
});

test('every path of an imitation begins with a slash, and none stands twice', () => {
  for (const { name, routes } of PROTOCOLS) {
    const known = routes.map(({ method, path }) => `${method} ${path}`);
    assert.equal(new Set(known).size, known.length, name);
    for (const { path } of routes) assert.match(path, /^\//u);
  }
});
