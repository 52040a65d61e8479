/** What the official SDK sees through the gateway is what it sees at the provider: same pictures, same fields. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';

const SMALL = '96x64' as '1024x1024';

let gateway: RunningGateway;
/** The same requests, at the provider and through the gateway. */
let clients: readonly [direct: OpenAI, through: OpenAI];
before(async () => {
  gateway = await startGateway();
  const [direct, through] = [gateway.sandboxUrl, gateway.url].map(
    (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', logLevel: 'off' }),
  );
  assert.ok(direct && through);
  clients = [direct, through];
});
after(() => gateway.close());

/** Runs the same on both and compares what came, without what may differ. */
async function assertSame(ask: (client: OpenAI) => Promise<unknown>): Promise<void> {
  const [direct, through] = await Promise.all(clients.map(async (client) => comparable(await ask(client))));
  assert.deepEqual(through, direct);
}

const DIFFERS = new Set(['created', 'created_at', 'onetake', 'seed']);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !DIFFERS.has(key));
  return Object.fromEntries(kept.map(([key, one]) => [key, comparable(one)]));
}

/** OpenAI's types know no seed; the sandbox draws the same picture for the same one. */
function seeded<Params extends object>(params: Params): Params {
  return { model: 'ok', size: SMALL, seed: 7, ...params };
}

for (const output_format of ['png', 'jpeg', 'webp'] as const) {
  test(`generate ${output_format}: the same bytes`, () =>
    assertSame((client) => client.images.generate(seeded({ prompt: 'the same fox', output_format }))));
}

test('edit with two references and a mask: the same bytes', async () => {
  const [direct] = clients;
  const { data } = await direct.images.generate(seeded({ prompt: 'a reference', background: 'transparent' as const }));
  const png = Buffer.from(data?.[0]?.b64_json ?? '', 'base64');
  const file = (name: string) => toFile(png, name, { type: 'image/png' });
  await assertSame(async (client) =>
    client.images.edit(
      seeded({ prompt: 'with a hat', image: [await file('a.png'), await file('b.png')], mask: await file('mask.png') }),
    ),
  );
});

test('a stream with previews: the same events in the same order', () =>
  assertSame(async (client) => {
    const events: unknown[] = [];
    const params = { prompt: 'a streamed fox', stream: true, partial_images: 2 } as const;
    for await (const event of await client.images.generate(seeded(params))) events.push(event);
    return events;
  }));

test('errors of one kind: the same class and status where the provider’s word stands', async () => {
  for (const model of ['400', '402', '403', '404', 'policy', 'quota']) {
    const [direct, through] = await Promise.all(
      clients.map((client, index) =>
        client.images.generate({ model: index === 0 ? model : `sandbox/${model}`, prompt: 'x' }).then(
          () => 'a picture',
          (error) => [error.constructor.name, error.status, error.message.length > 10],
        ),
      ),
    );
    assert.deepEqual(through, direct, model);
  }
});

test('a request in progress is aborted by its signal, and leaves the gateway well', async () => {
  const [, through] = clients;
  const controller = new AbortController();
  const asked = through.images.generate({ model: 'sandbox/slow:2', prompt: 'x' }, { signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(asked, OpenAI.APIUserAbortError);
  assert.equal((await through.images.generate(seeded({ prompt: 'after an abort' }))).data?.length, 1);
});
