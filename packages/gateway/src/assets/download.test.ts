import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createMemoryAssets, type Io, systemIo, TransportError } from '@onetake/core';
import { TINY_PNG_BASE64 } from '@onetake/core/testing';
import { RequestProblem } from '../http/problem.ts';
import { testPng } from '../testing/pictures.ts';
import { createDownloader, type DownloadLimits, type FetchOptions } from './download.ts';

interface Page {
  readonly status?: number;
  readonly location?: string;
  readonly body?: Uint8Array;
  /** Stops there, for ever. */
  readonly silent?: 'before headers' | 'before body';
  readonly error?: TransportError;
}

/** A web whose pages are a table; time passes only for clocks, and at once. */
function web(pages: Readonly<Record<string, Page>>) {
  const asked: string[] = [];
  const timers: { at: number; callback: () => void }[] = [];
  let open = 0;
  const fireNext = () => {
    const next = timers.toSorted((a, b) => a.at - b.at)[0];
    next?.callback();
  };
  const silence = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new TransportError('sent', 'ABORTED', 'aborted')), { once: true });
      setImmediate(fireNext);
    });
  const io: Io = {
    now: () => 0,
    timer(at, callback) {
      const timer = { at, callback };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    async send(request, receiver, { signal, reach }) {
      assert.equal(reach, 'public');
      asked.push(request.url);
      open += 1;
      try {
        const page = pages[request.url] ?? { status: 404 };
        if (page.error) throw page.error;
        receiver.onStarted();
        if (page.silent === 'before headers') await silence(signal);
        receiver.onHeaders(page.status ?? 200, page.location === undefined ? {} : { location: page.location });
        if (page.silent === 'before body') await silence(signal);
        for (let at = 0; at < (page.body?.length ?? 0); at += 1_000)
          await receiver.onData(page.body?.subarray(at, at + 1_000) ?? new Uint8Array());
      } finally {
        open -= 1;
      }
    },
  };
  return { io, asked, timers, open: () => open };
}

async function refusal(
  pages: Readonly<Record<string, Page>>,
  url: string,
  options: Partial<FetchOptions> = {},
  limits: Partial<DownloadLimits> = {},
): Promise<RequestProblem> {
  const { io, timers, open } = web(pages);
  const assets = createMemoryAssets();
  const fetchImage = createDownloader({ io, limits });
  try {
    await fetchImage(url, { param: 'image', assets, ...options });
  } catch (error) {
    assert.ok(error instanceof RequestProblem, String(error));
    assert.equal(error.param, 'image');
    assert.deepEqual([timers.length, open()], [0, 0], 'nothing goes on');
    return error;
  }
  assert.fail(`fetched ${url}`);
}

const PNG = testPng({ width: 3, height: 4 });

test('a picture behind a link is stored under its hash', async () => {
  const { io, timers } = web({ 'https://a.example/fox': { body: PNG } });
  const assets = createMemoryAssets();
  const asset = await createDownloader({ io })('https://a.example/fox', { param: 'image', assets });
  assert.deepEqual([asset.type, asset.width, asset.height, asset.bytes], ['png', 3, 4, PNG.length]);
  const stored = await Array.fromAsync(assets.read(asset));
  assert.deepEqual(Buffer.concat(stored), PNG);
  assert.equal(timers.length, 0);
});

test('a data URL is decoded without a request', async () => {
  const { io, asked } = web({});
  const fetchImage = createDownloader({ io });
  const asset = await fetchImage(`data:image/png;base64,${TINY_PNG_BASE64}`, {
    param: 'image',
    assets: createMemoryAssets(),
  });
  assert.deepEqual([asset.type, asset.width, asked.length], ['png', 1, 0]);
  assert.match((await refusal({}, 'data:image/png,%89PNG')).message, /not base64/);
  assert.equal((await refusal({}, 'data:image/png;base64,!!!!')).code, 'unsupported_format');
  assert.equal((await refusal({}, `data:;base64,${'A'.repeat(4_000)}`, { maxBytes: 2_000 })).code, 'file_too_large');
});

test('redirects are followed by hand, each held to the rules again', async () => {
  const { io, asked } = web({
    'http://a.example/1': { status: 302, location: 'https://b.example/2' },
    'https://b.example/2': { status: 307, location: '/3' },
    'https://b.example/3': { status: 308, location: '4' },
    'https://b.example/4': { body: PNG },
  });
  await createDownloader({ io })('http://a.example/1', { param: 'image', assets: createMemoryAssets() });
  assert.deepEqual(asked, ['http://a.example/1', 'https://b.example/2', 'https://b.example/3', 'https://b.example/4']);
  const to = (location: string) => refusal({ 'https://a.example/': { status: 301, location } }, 'https://a.example/');
  assert.match((await to('/')).message, /more than 3 redirects/);
  assert.match((await to('http://a.example/')).message, /https to http/);
  assert.match((await to('file:///etc/passwd')).message, /file: URLs are not fetched/);
  assert.match((await to('https://u:p@a.example/')).message, /user name/);
});

test('addresses that are not fetched', async () => {
  for (const url of [
    'file:///etc/passwd',
    'ftp://a.example/',
    'fox.png',
    '',
    'https://u:p@a.example/',
    `https://a.example/${'x'.repeat(9_000)}`,
  ]) {
    const problem = await refusal({}, url);
    assert.deepEqual([problem.status, problem.code], [400, 'invalid_image_url'], url.slice(0, 50));
    assert.ok(problem.message.length < 400 && !problem.message.includes('u:p'));
  }
});

test('what is not a whole picture of the right kind is refused by its bytes', async () => {
  const codeOf = async (page: Page, options: Partial<FetchOptions> = {}) =>
    (await refusal({ 'https://a.example/': page }, 'https://a.example/', options)).code;
  assert.equal(await codeOf({ body: Buffer.from('<html>no</html>') }), 'unsupported_format');
  assert.equal(await codeOf({ body: Buffer.from('GIF89a') }), 'invalid_image_file');
  assert.equal(await codeOf({ body: PNG.subarray(0, -4) }), 'invalid_image_file');
  assert.equal(await codeOf({ body: Buffer.alloc(0) }), 'invalid_image_file');
  assert.equal(await codeOf({ body: testPng({ padding: 5_000 }) }, { maxBytes: 4_000 }), 'file_too_large');
  assert.equal(await codeOf({ status: 404 }), 'invalid_image_url');
  assert.equal(await codeOf({ status: 304 }), 'invalid_image_url');
});

test('each clock that runs out is named, and ends the exchange', async () => {
  const said = async (page: Page, limits: Partial<DownloadLimits> = {}) =>
    (await refusal({ 'https://a.example/': page }, 'https://a.example/', {}, limits)).message;
  assert.match(await said({ silent: 'before headers' }), /no answer came within 15000 ms/);
  assert.match(await said({ silent: 'before body' }), /stood still for 15000 ms/);
  assert.match(await said({ silent: 'before body' }, { totalMs: 7 }), /longer than 7 ms/);
  assert.match(await said({ error: new TransportError('unsent', 'CONNECT_TIMEOUT', 'x') }), /in time/);
  assert.match(
    await said({ error: new TransportError('unsent', 'ENOTFOUND', 'x') }),
    /could not be reached \(ENOTFOUND\)/,
  );
  assert.match(await said({ error: new TransportError('answering', 'ECONNRESET', 'x') }), /broke off/);
});

test('a caller who goes away ends the download', async () => {
  const { io, timers, open } = web({ 'https://a.example/': { silent: 'before body' } });
  const cancel = new AbortController();
  const fetched = createDownloader({ io, limits: { idleMs: 1e9 } })('https://a.example/', {
    param: 'image',
    assets: createMemoryAssets(),
    cancel: cancel.signal,
  });
  cancel.abort();
  await assert.rejects(fetched, { code: 'invalid_image_url' });
  assert.deepEqual([timers.length, open()], [0, 0]);
});

test('a private address is refused, over real sockets, whether something answers there or not', async (context) => {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls += 1;
    response.end(PNG);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const io = systemIo();
  context.after(async () => {
    await io.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const fetchImage = createDownloader({ io });
  const messages = new Set<string>();
  for (const host of [
    `127.0.0.1:${port}`,
    '127.0.0.1:9',
    `[::ffff:127.0.0.1]:${port}`,
    `2130706433:${port}`,
    '169.254.169.254',
    '10.0.0.1',
    `localhost:${port}`,
  ]) {
    await assert.rejects(fetchImage(`http://${host}/`, { param: 'image', assets: createMemoryAssets() }), (error) => {
      assert.ok(error instanceof RequestProblem);
      messages.add(error.message.replace(/"[^"]*"/, 'it'));
      return error.code === 'invalid_image_url';
    });
  }
  assert.equal(messages.size, 1, [...messages].join('\n'));
  assert.equal(calls, 0);
});
