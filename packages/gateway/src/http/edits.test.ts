import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import multipart from '@fastify/multipart';
import { createIntake } from '@onetake/core';
import fc from 'fast-check';
import Fastify from 'fastify';
import { openDiskAssets } from '../assets/disk.ts';
import type { FetchImage } from '../assets/download.ts';
import { acceptReference } from '../assets/reference-image.ts';
import { testPng } from '../testing/pictures.ts';
import { readControls } from './controls.ts';
import { readEdit } from './edits.ts';
import type { ImageWire } from './image-wire.ts';
import { problemBody, requestProblemOf } from './problem.ts';

const BODY_LIMIT_BYTES = 6_000_000;
const PNG = testPng({ width: 3, height: 4 });
const MASK = testPng({ width: 3, height: 4, padding: 10 });

/** An edit endpoint that answers what it understood; `stored` lists the files it left, half-written ones too. */
async function editing(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'onetake-edits-'));
  const assets = await openDiskAssets(directory);
  const fetchImage: FetchImage = async (_url, { param, assets: into }) => {
    const intake = createIntake(into);
    const blob = intake.openBlob();
    await blob.write(_url.endsWith('mask') ? MASK : PNG);
    return acceptReference(await intake.settle(blob.end()), param);
  };
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  await app.register(multipart);
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, BODY_LIMIT_BYTES);
    return reply.code(problem?.status ?? 500).send(problem ? problemBody(problem, 'r') : { crashed: String(error) });
  });
  app.post('/', (request) => {
    const controlsOf = (wire: ImageWire) => readControls(request.headers, wire.controlsBody, { fromBrowser: false });
    return readEdit(request, { assets, fetchImage, bodyLimitBytes: BODY_LIMIT_BYTES, controlsOf });
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  context.after(async () => {
    await app.close();
    await rm(directory, { recursive: true });
  });
  const stored = async () => {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.filter((one) => one.isFile()).map((one) => one.name);
  };
  return { url, port: Number(new URL(url).port), stored };
}

type Entry = readonly [name: string, value: string | Buffer];

function form(...entries: Entry[]): FormData {
  const data = new FormData();
  for (const [name, value] of entries) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([new Uint8Array(value)]), 'picture.bin');
  }
  return data;
}

async function post(url: string, body: FormData | object) {
  const isForm = body instanceof FormData;
  const answer = await fetch(url, {
    method: 'POST',
    body: isForm ? body : JSON.stringify(body),
    ...(!isForm && { headers: { 'content-type': 'application/json' } }),
  });
  const read = (await answer.json()) as { error?: { code: string; param: string | null; message: string } } & Record<
    string,
    unknown
  >;
  return { status: answer.status, read, error: read.error };
}

test('a form with files becomes an edit, whatever the order of its parts', async (context) => {
  const { url, stored } = await editing(context);
  const { status, read } = await post(
    url,
    form(['mask', MASK], ['image[]', PNG], ['n', '2'], ['image[]', MASK], ['prompt', 'a hat'], ['user', 'u']),
  );
  assert.equal(status, 200, JSON.stringify(read));
  const request = read.request as {
    images: { type: string; width: number }[];
    mask: { hash: string };
    n: number;
    extra: object;
    prompt: string;
  };
  assert.deepEqual([request.prompt, request.n, request.extra], ['a hat', 2, { user: 'u' }]);
  assert.deepEqual(
    request.images.map((one) => [one.type, one.width]),
    [
      ['png', 3],
      ['png', 3],
    ],
  );
  assert.deepEqual((read.fileHashes as string[])[2], `mask ${request.mask.hash}`);
  assert.equal((await stored()).length, 2, 'equal bytes are one file');
});

test('JSON with links is the same edit', async (context) => {
  const { url } = await editing(context);
  const uploaded = await post(url, form(['image', PNG], ['mask', MASK], ['prompt', 'a hat']));
  const link = 'https://a.example/fox';
  const bodies = [
    { images: [{ image_url: link }], mask: { image_url: 'https://a.example/mask' } },
    { image: link, mask: 'https://a.example/mask' },
    { image: [{ image_url: { url: link } }], mask: { image_url: 'https://a.example/mask' } },
  ];
  for (const body of bodies) {
    const { status, read } = await post(url, { prompt: 'a hat', ...body });
    assert.equal(status, 200, JSON.stringify(read));
    assert.deepEqual([read.fileHashes, read.canonical], [uploaded.read.fileHashes, uploaded.read.canonical]);
  }
});

test('a wrong edit is a 4xx that names the field and leaves nothing behind', async (context) => {
  const { url, stored } = await editing(context);
  const prompt: Entry = ['prompt', 'x'];
  const image: Entry = ['image', PNG];
  const cases: [FormData | object, number, string, string | null][] = [
    [form(prompt), 400, 'missing_required_parameter', 'image'],
    [form(image), 400, 'missing_required_parameter', 'prompt'],
    [form(image, prompt, ['n', '0']), 400, 'invalid_value', 'n'],
    [form(image, prompt, ['n', '1'], ['n', '2']), 400, 'invalid_value', 'n'],
    [form(image, prompt, ['image[]', PNG.subarray(0, -9)]), 400, 'invalid_image_file', 'image[1]'],
    [form(image, prompt, ['image[]', Buffer.from('hello')]), 400, 'unsupported_format', 'image[1]'],
    [
      form(prompt, ['image', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>')]),
      400,
      'unsupported_format',
      'image[0]',
    ],
    [form(prompt, ['image', Buffer.alloc(0)]), 400, 'invalid_image_file', 'image[0]'],
    [form(prompt, ['image', 'https://a.example/fox']), 400, 'invalid_value', 'image'],
    [form(prompt, image, ['mask', testPng({ alpha: false, width: 3, height: 4 })]), 400, 'invalid_image_file', 'mask'],
    [form(prompt, image, ['mask', testPng()]), 400, 'invalid_image_file', 'mask'],
    [form(prompt, image, ['mask', MASK], ['mask', MASK]), 400, 'unknown_parameter', 'mask'],
    [form(prompt, image, ['mask', testPng({ padding: 4_100_000 })]), 413, 'file_too_large', 'mask'],
    [form(prompt, image, ['markup', MASK]), 400, 'unknown_parameter', 'markup'],
    [form(prompt, ...Array.from({ length: 17 }, (): Entry => ['image[]', PNG])), 400, 'invalid_value', 'image'],
    [form(prompt, ...Array.from({ length: 18 }, (): Entry => ['image[]', PNG])), 400, 'invalid_value', 'image'],
    [form(image, ['prompt', 'x'.repeat(300_000)]), 400, 'invalid_value', 'prompt'],
    [form(image, ['p'.repeat(200), 'x']), 400, 'invalid_value', 'p'.repeat(100)],
    [
      form(image, ...Array.from({ length: 70 }, (_, index): Entry => [`f${index}`, 'x'])),
      400,
      'invalid_multipart',
      null,
    ],
    [form(image, prompt, ['onetake[payment]', 'free']), 400, 'invalid_value', 'onetake.payment'],
    [{ prompt: 'x', image: 'https://a.example/', onetake: { pay: 1 } }, 400, 'unknown_parameter', 'onetake.pay'],
    [form(image, prompt, ['constructor', 'x']), 400, 'invalid_multipart', null],
    [{ prompt: 'x' }, 400, 'missing_required_parameter', 'image'],
    [{ prompt: 'x', images: [{ file_id: 'file-1' }] }, 400, 'invalid_type', 'images[0].image_url'],
    [{ prompt: 'x', images: Array.from({ length: 17 }, () => 'https://a.example/') }, 400, 'invalid_value', 'images'],
    [{ n: 1, image: 'https://a.example/' }, 400, 'missing_required_parameter', 'prompt'],
    [[], 400, 'invalid_body', null],
  ];
  for (const [body, status, code, param] of cases) {
    const answer = await post(url, body);
    const found = [answer.status, answer.error?.code, answer.error?.param];
    assert.deepEqual(found, [status, code, param], JSON.stringify(answer.read));
  }
  assert.deepEqual(await stored(), []);
});

test('a body beyond the limit is a 413 that its sender gets to read', async (context) => {
  const { url, stored } = await editing(context);
  const known = await post(url, form(['prompt', 'x'], ['image', testPng({ padding: 7_000_000 })]));
  assert.deepEqual([known.status, known.error?.code], [413, 'file_too_large']);
  assert.match(known.error?.message ?? '', /6000000 bytes.*body_limit_bytes/);
  const big = await formBytes(form(['image', testPng({ padding: 7_000_000 })], ['prompt', 'x']));
  for (const bytes of [big, Buffer.alloc(7_000_000, 'x')]) {
    const body = ReadableStream.from(chunksOf(bytes, 64_000));
    // The length of what is sent piece by piece is not known before, and a preamble belongs to no part.
    const unknown = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': TYPE },
      body,
      duplex: 'half',
    } as RequestInit);
    assert.equal(unknown.status, 413);
  }
  assert.deepEqual(await stored(), []);
});

const BOUNDARY = 'edge';

/** The form as bytes under a known boundary. */
async function formBytes(data: FormData): Promise<Buffer> {
  const encoded = new Response(data);
  const boundary = /boundary=(.*)$/.exec(encoded.headers.get('content-type') ?? '')?.[1] ?? '';
  const text = Buffer.from(await encoded.arrayBuffer()).toString('latin1');
  return Buffer.from(text.replaceAll(boundary, BOUNDARY), 'latin1');
}

function* chunksOf(bytes: Buffer, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield new Uint8Array(bytes.subarray(at, at + size));
}

const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const FILE_HEAD = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n`;

test('a hostile form is a 400, never a hang, and leaves nothing behind', async (context) => {
  const { url, stored } = await editing(context);
  const field = (name: string) => `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\nx\r\n`;
  const cases: [string, string][] = [
    ['multipart/form-data', 'x'],
    [TYPE, ''],
    [TYPE, 'no boundary anywhere'],
    [TYPE, `--${BOUNDARY}`],
    [TYPE, field('prompt')],
    [TYPE, `${FILE_HEAD}half of a file`],
    [TYPE, `${FILE_HEAD}${PNG.toString('latin1')}`],
    [TYPE, `--${BOUNDARY}\r\n${'x-filler: y\r\n'.repeat(50_000)}`],
    [TYPE, `--${BOUNDARY}\r\n${'x'.repeat(500_000)}`],
    [TYPE, `--${BOUNDARY}\r\ncontent-disposition: form-data; title="n"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`],
    [TYPE, `--${BOUNDARY}\r\ncontent-disposition: form-data; filename="n"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`],
    [TYPE, `--${BOUNDARY}\r\n\r\nno name\r\n--${BOUNDARY}--\r\n`],
    [TYPE, `${Array.from({ length: 10_000 }, (_, index) => field(`f${index}`)).join('')}--${BOUNDARY}--\r\n`],
    [TYPE, `${Array.from({ length: 10_000 }, () => `${FILE_HEAD}x\r\n`).join('')}--${BOUNDARY}--\r\n`],
    [`multipart/form-data; boundary=${'b'.repeat(2_000)}`, 'x'],
  ];
  for (const [type, body] of cases) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Buffer.from(body, 'latin1'),
      signal: AbortSignal.timeout(5_000),
    });
    const read = await answer.text();
    assert.equal(answer.status, 400, `${body.slice(0, 80)}: ${read}`);
    assert.match(read, /"error"/);
  }
  assert.deepEqual(await stored(), []);
});

test('a form mutilated at random is understood or a 400', async (context) => {
  const { url } = await editing(context);
  const whole = await formBytes(form(['prompt', 'x'], ['image', PNG], ['mask', MASK], ['n', '1']));
  const scraps = fc.constantFrom('', '\r\n', '\r\n\r\n', `\r\n--${BOUNDARY}`, `--${BOUNDARY}--\r\n`, 'name=', '\0');
  const wounds = fc.array(fc.tuple(fc.nat(whole.length), fc.nat(60), scraps), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(wounds, async (cuts) => {
      const body = cuts.reduce(
        (bytes, [at, length, scrap]) =>
          Buffer.concat([bytes.subarray(0, at), Buffer.from(scrap), bytes.subarray(at + length)]),
        whole,
      );
      const signal = AbortSignal.timeout(5_000);
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': TYPE },
        body: new Uint8Array(body),
        signal,
      });
      const text = await answer.text();
      assert.ok(answer.status === 200 || answer.status === 400, text);
    }),
    { numRuns: 100 },
  );
});

test('a caller who hangs up in the middle of a file leaves nothing behind', async (context) => {
  const { url, port, stored } = await editing(context);
  for (let call = 0; call < 20; call += 1) {
    await new Promise<void>((resolve) => {
      const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${TYPE}\r\ncontent-length: 5000000\r\n\r\n`;
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(head + FILE_HEAD);
        socket.write(PNG.subarray(0, 40));
        socket.write(Buffer.alloc(1_000_000), () => socket.destroy());
      });
      socket.once('close', () => resolve());
    });
  }
  for (let tries = 0; tries < 100 && (await stored()).length > 0; tries += 1) await pause(20);
  assert.deepEqual(await stored(), []);
  assert.equal((await post(url, form(['image', PNG], ['prompt', 'x']))).status, 200);
});
