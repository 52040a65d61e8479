import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleOf } from '../faults/script.ts';
import { TASK_WORDS } from '../tasks/behaviours.ts';
import { at, imitate, jsonOf, sandboxFor } from '../testing/sandbox.ts';
import { PROTOCOLS } from './index.ts';
import { findProtocol } from './routing.ts';
import { jobScript, paintScript } from './words.ts';

test('names are one part of a path, and none is another or a path of the sandbox itself', () => {
  const names = PROTOCOLS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.match(name, /^[a-z0-9][a-z0-9-]*$/u);
    assert.ok(!['v1', 'tasks', 'files', 'faults', 'fault', 'protocols', 'ledger'].includes(name));
  }
});

test('an imitation is found by its name, with and without a script before it', () => {
  const found = (path: string) => {
    const { protocol, ...rest } = findProtocol(PROTOCOLS, path) ?? {};
    return protocol && { name: protocol.name, ...rest };
  };
  assert.deepEqual(found('/bfl/v1/flux-dev'), { name: 'bfl', basePath: '/bfl', path: '/v1/flux-dev' });
  assert.deepEqual(found('/fault/429:2,ok/bfl/v1'), {
    ...{ name: 'bfl', basePath: '/fault/429:2,ok/bfl', path: '/v1', script: '429:2,ok' },
  });
  assert.deepEqual(found('/fault/429%3A2%2Cok/bfl'), {
    ...{ name: 'bfl', basePath: '/fault/429%3A2%2Cok/bfl', path: '/', script: '429:2,ok' },
  });
  assert.deepEqual(found('/bfl/'), { name: 'bfl', basePath: '/bfl', path: '/' });
  assert.equal(found('/v1/images/generations'), undefined);
  assert.equal(found('/fault/ok'), undefined);
  assert.equal(found('/fault/ok/v1/models'), undefined);
});

test('every word for jobs can be said to every imitation, jobs or none', () => {
  for (const fault of TASK_WORDS.faults.values()) {
    assert.ok(paintScript(exampleOf(fault))[0]?.fault, fault.name);
    for (const protocol of PROTOCOLS) assert.ok(jobScript(protocol, exampleOf(fault))[0]?.fault, fault.name);
  }
});

test('an imitation refuses unknown paths and methods itself, and does not fail', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const { name } of PROTOCOLS) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const { status, body } = await imitate(sandbox, `/${name}/no/such/path`, { method });
      assert.ok(status < 500, `${method} at ${name}: ${status} ${JSON.stringify(body)}`);
    }
  }
});

test('GET /protocols lists base URLs; unknown paths of the sandbox are a 404 as ever', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await imitate(sandbox, '/protocols');
  const list = at(body, 'protocols') as { name: string; base_url: string }[];
  assert.deepEqual(
    list.map(({ name }) => name),
    PROTOCOLS.map(({ name }) => name),
  );
  assert.ok(list.some(({ base_url }) => base_url === `${sandbox.url}/openai/v1`));
  assert.equal((await jsonOf(fetch(`${sandbox.url}/nobody/v1`))).error.code, 'unknown_url');
});
