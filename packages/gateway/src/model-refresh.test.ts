import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, isObject, openaiCompatible, type Provider } from '@onetake/core';
import { createScriptedIo, type ScriptedIo } from '@onetake/core/testing';
import { pino } from 'pino';
import { startModelRefresh } from './model-refresh.ts';

const DAY_MS = 24 * 3_600_000;

const lists: Provider['catalog'] = {
  build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/models`, headers: {} }),
  parse: ({ body }) => {
    const data = isObject(body) && Array.isArray(body.data) ? body.data : [];
    return data.map((item) =>
      isObject(item) ? { id: String(item.id), shutdownDate: String(item.shutdown_date) } : { id: '' },
    );
  },
};

/** Lists nothing. */
const { catalog: _catalog, ...mute } = openaiCompatible;

function connection(id: string, provider: Provider): Connection {
  return { id, provider, baseUrl: `https://${id}.example/v1`, secret: 'sk-secret-of-this-test' };
}

test('what a provider lists is known, asked again every day, and who lists nothing is not asked', async () => {
  let date = '2027-01-01';
  const io = createScriptedIo(({ url }) => {
    const body = JSON.stringify({ data: [{ id: 'a', shutdown_date: date }] });
    if (url.startsWith('https://down')) return { kind: 'refuse', afterMs: 0 };
    return { kind: 'answer', afterMs: 0, status: 200, headers: { 'content-type': 'application/json' }, body };
  });
  const connections = [
    connection('lab', { ...openaiCompatible, catalog: lists }),
    connection('down', { ...openaiCompatible, catalog: lists }),
    connection('mute', mute),
  ];
  const refresh = startModelRefresh({ catalogue: { connections }, io, log: pino({ level: 'silent' }) });
  await io.drive(pause(io, 1_000));
  assert.equal(refresh.listed('lab/a')?.shutdownDate, '2027-01-01');
  assert.deepEqual([refresh.listed('lab/b'), refresh.listed('down/a')], [undefined, undefined]);
  assert.deepEqual(
    [...refresh.models('lab')].map(({ id }) => id),
    ['a'],
  );
  assert.deepEqual([...refresh.models('mute')], []);
  assert.deepEqual(
    io.sent.map(({ request }) => request.headers.authorization),
    ['Bearer sk-secret-of-this-test', 'Bearer sk-secret-of-this-test'],
  );
  date = '2027-06-30';
  await io.drive(pause(io, DAY_MS));
  assert.equal(refresh.listed('lab/a')?.shutdownDate, '2027-06-30');
  refresh.stop();
});

function pause(io: ScriptedIo, ms: number): Promise<void> {
  return new Promise((resolve) => io.timer(io.now() + ms, resolve));
}
