import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { FAULTS } from '../faults/script.ts';
import { at, imitate, sandboxFor } from '../testing/sandbox.ts';
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

test('the guide has a line for every imitation', () => {
  const guide = readFileSync(new URL('../../../../docs/guide/sandbox.md', import.meta.url), 'utf8');
  const missing = PROTOCOLS.filter(({ name }) => !guide.includes(`| \`${name}\` |`)).map(({ name }) => name);
  assert.deepEqual(missing, [], 'add a row to the table under "Other providers" in docs/guide/sandbox.md');
});

const KEYS = ['authorization', 'x-key', 'api-key', 'x-goog-api-key', 'mj-api-secret'];
const FIELDS = [
  'n',
  'size',
  'width',
  'aspect_ratio',
  'image',
  'images',
  'image_url',
  'seed',
  'webhook',
  'mask',
  'parameters',
];
const LIKELY = {
  ...{ prompt: 'p', input: { prompt: 'p' }, contents: [{ parts: [{ text: 'p' }] }], model: 'gpt-image-2' },
  tools: [{ type: 'image_generation' }],
};
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom([null], [{}], [1, null, { text: null }], -1, 'p'));

test('no JSON makes an imitation fail in itself', async (t) => {
  const sandbox = await sandboxFor(t);
  const submits = PROTOCOLS.flatMap(({ name, key, routes }) => {
    const keys = ['Bearer eyJh.eyJz.c2ln', 'Key id:secret'].flatMap((secret) =>
      KEYS.map((header) => ({ [header]: secret })),
    );
    const headers = keys.find((one) => key?.(one, new URLSearchParams())) ?? {};
    return routes
      .filter(({ bills }) => bills)
      .map(({ path }) => ({ path: `/${name}${path.replaceAll(/:(\w+)\*?/gu, 'flux-2-pro')}`, headers }));
  });
  const bodies = fc.record({
    likely: fc.subarray(Object.entries(LIKELY)),
    fields: fc.dictionary(fc.constantFrom(...FIELDS, ...Object.keys(LIKELY)), odd, { maxKeys: 3 }),
  });
  const send = async (
    submit: (typeof submits)[number],
    { likely, fields }: { likely: readonly (readonly [string, unknown])[]; fields: object },
  ) => {
    const body = { ...Object.fromEntries(likely), ...fields, fault: 'empty' };
    const answer = await imitate(sandbox, submit.path, { method: 'POST', body, headers: submit.headers });
    const played = (await imitate(sandbox, '/ledger?detail=1')).body;
    assert.doesNotMatch(
      JSON.stringify(at(played, 'entries')),
      /sandbox_failed/u,
      `${submit.path} ${JSON.stringify(body)}`,
    );
    assert.ok(answer.status > 0);
  };
  await fc.assert(fc.asyncProperty(fc.constantFrom(...submits), bodies, send), { numRuns: 300 });
});
