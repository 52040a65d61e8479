import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Downloading, downloadResult } from './download.ts';
import { RUN_LIMITS } from './environment.ts';
import { createHealthBook } from './health.ts';
import type { HttpRequest } from './http.ts';
import { createMemoryAssets } from './images/memory-assets.ts';
import type { Io, SendOptions } from './io.ts';
import { openaiCompatible } from './providers/openai.ts';
import type { ResultHosts } from './providers/provider.ts';
import { systemIo } from './system-io.ts';
import { loopback } from './testing/loopback.ts';
import { samplePlan } from './testing/samples.ts';
import { type Behaviour, createScriptedIo, type ScriptedIo } from './testing/scripted-io.ts';
import { FREE_TURNS } from './turns.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"></svg>';
const SECRET = 'sk-results-secret';
const CDN = 'https://eu.cdn.example/picture.png';

const answer = (status: number, headers: Record<string, string> = {}, body = ''): Behaviour => ({
  ...{ kind: 'answer', afterMs: 10, status, body },
  headers: { 'content-type': 'application/octet-stream', ...headers },
});
const PICTURE = answer(200, {}, SVG);
const to = (location: string, status = 302) => answer(status, { location });

interface Setting {
  readonly results?: ResultHosts;
  readonly baseUrl?: string;
  readonly maxResultBytes?: number;
  readonly maxDownloadTries?: number;
  readonly cancel?: AbortSignal;
  readonly maxDownloadMs?: number;
}

const HOSTS: ResultHosts = { hosts: ['cdn.example', 'api.example'], authorized: ['api.example'] };

function downloading(io: Io, setting: Setting): Downloading {
  const { results, baseUrl = 'http://10.0.0.7:8188/v1', cancel = new AbortController().signal } = setting;
  const { maxResultBytes, maxDownloadTries, maxDownloadMs } = { ...RUN_LIMITS, ...setting };
  return {
    plan: samplePlan(['a']),
    connection: { id: 'a', provider: { ...openaiCompatible, ...(results && { results }) }, baseUrl, secret: SECRET },
    credential: 'a',
    environment: {
      ...{ io, cancel, assets: createMemoryAssets(), health: createHealthBook(), turns: FREE_TURNS },
      ...{ connection: () => undefined, presence: () => ({ unsentGraceMs: 0 }), onPresence: () => () => {} },
      park: new AbortController().signal,
      limits: { ...RUN_LIMITS, maxResultBytes, maxDownloadTries, maxDownloadMs },
    },
  };
}

interface Sent {
  readonly url: string;
  readonly at: number;
  readonly reach: SendOptions['reach'];
  readonly withKey: boolean;
}

type Play = (request: HttpRequest, index: number, io: ScriptedIo) => Behaviour;

async function fetched(url: string, play: Play, setting: Setting = { results: HOSTS }) {
  const sent: Sent[] = [];
  const scripted: ScriptedIo = createScriptedIo((request, index) => play(request, index, scripted));
  const io: Io = {
    ...scripted,
    send(request, receiver, options) {
      const withKey = JSON.stringify(request).includes(SECRET);
      sent.push({ url: request.url, at: scripted.now(), reach: options.reach, withKey });
      return scripted.send(request, receiver, options);
    },
  };
  const result = await scripted.drive(downloadResult(url, downloading(io, setting)));
  return { result, sent, at: scripted.now() };
}

function why(result: Awaited<ReturnType<typeof downloadResult>>): string {
  assert.ok('why' in result, JSON.stringify(result));
  return result.why;
}

test('a link on a known host is fetched without the key, from public addresses only', async () => {
  const { result, sent } = await fetched(CDN, () => PICTURE);
  assert.ok('ok' in result && result.ok);
  assert.deepEqual([result.asset.type, result.asset.width], ['svg', 4]);
  assert.deepEqual(sent, [{ url: CDN, at: 0, reach: 'public', withKey: false }]);
});

test('the configured address is the one private one, and gets the key', async () => {
  const link = 'http://10.0.0.7:8188/view?filename=a.png';
  const { result, sent } = await fetched(link, () => PICTURE);
  assert.ok('ok' in result && result.ok);
  assert.deepEqual(sent, [{ url: link, at: 0, reach: 'configured', withKey: true }]);
});

test('a host that wants the key gets it, from public addresses only', async () => {
  const { sent } = await fetched('https://files.api.example/1', () => PICTURE);
  assert.deepEqual(
    sent.map(({ reach, withKey }) => [reach, withKey]),
    [['public', true]],
  );
});

const NEVER: readonly (readonly [string, RegExp])[] = [
  ['http://eu.cdn.example/picture.png', /http:\/\/ is not https/],
  ['https://evil.example/picture.png', /evil\.example is not a host that a is known/],
  ['https://cdn.example.evil.example/p.png', /is not a host/],
  ['https://evilcdn.example/p.png', /is not a host/],
  ['https://cdn.example@evil.example/p.png', /^.*evil\.example is not a host/],
  ['https://cdn.example./p.png', /is not a host/],
  ['https://127.0.0.1/p.png', /is not a host/],
  ['https://[::ffff:127.0.0.1]/p.png', /is not a host/],
  ['https://2130706433/p.png', /127\.0\.0\.1 is not a host/],
  ['http://10.0.0.7:8189/view', /is not https/],
  ['https://10.0.0.7:8188/view', /is not a host/],
  ['http://10.0.0.7.evil.example:8188/', /is not https/],
  ['file:///etc/passwd', /file:\/\/ is not https/],
  ['data:image/png;base64,AAAA', /data:\/\/ is not https/],
  ['', /not a URL/],
  [`https://${'a'.repeat(20_000)}.example/`, /^.{1,200}$/],
];

for (const [url, message] of NEVER) {
  test(`nothing is sent for ${url.slice(0, 60) || 'an empty link'}`, async () => {
    const { result, sent } = await fetched(url, () => PICTURE);
    assert.match(why(result), message);
    assert.deepEqual(sent, []);
  });
  test(`nothing is sent when a known host redirects to ${url.slice(0, 60) || 'nowhere'}`, async () => {
    const { result, sent } = await fetched(CDN, (request) => (request.url === CDN ? to(url) : PICTURE));
    if (url === '') assert.match(why(result), /more than 3 redirects|without a place to go/);
    else assert.match(why(result), message);
    assert.ok(sent.every((one) => one.url === CDN));
  });
}

test('from outside nothing leads back in: not to the configured address, and not with the key', async () => {
  const { result, sent } = await fetched(CDN, () => to('http://10.0.0.7:8188/v1/models'));
  assert.match(why(result), /is not https/);
  assert.equal(sent.length, 1);
  const secure = { results: HOSTS, baseUrl: 'https://api.example/v1' };
  const back = await fetched(CDN, ({ url }) => (url === CDN ? to('https://api.example/v1/x') : PICTURE), secure);
  assert.deepEqual(
    back.sent.map(({ reach }) => reach),
    ['public', 'public'],
  );
});

test('the key does not follow a redirect away from who it is for', async () => {
  const start = 'http://10.0.0.7:8188/result/1';
  const way = [to('/result/2', 307), to(CDN, 303), to('https://us.cdn.example/1', 301), PICTURE];
  const { result, sent } = await fetched(start, (_request, index) => way[index] ?? PICTURE);
  assert.ok('ok' in result && result.ok);
  assert.deepEqual(
    sent.map(({ url, reach, withKey }) => [new URL(url).host, reach, withKey]),
    [
      ['10.0.0.7:8188', 'configured', true],
      ['10.0.0.7:8188', 'configured', true],
      ['eu.cdn.example', 'public', false],
      ['us.cdn.example', 'public', false],
    ],
  );
});

test('a loop of redirects ends after three, and is not tried again', async () => {
  const { result, sent } = await fetched(CDN, () => to(CDN));
  assert.match(why(result), /more than 3 redirects/);
  assert.equal(sent.length, 4);
});

test('without a list of hosts any public https address will do', async () => {
  const { result, sent } = await fetched('https://anywhere.example/1', () => PICTURE, {});
  assert.ok('ok' in result && result.ok);
  assert.deepEqual(
    sent.map(({ reach, withKey }) => [reach, withKey]),
    [['public', false]],
  );
});

const GOOD_AT_LAST: Readonly<Record<string, Behaviour>> = {
  'a link that is not there yet': answer(404),
  'a server that is down': answer(503),
  'a connection that is refused': { kind: 'refuse', afterMs: 1 },
  'a connection that breaks off': { ...PICTURE, cut: { atByte: 20, by: 'reset' } } as Behaviour,
  'a picture that ends early': answer(200, {}, SVG.slice(0, 30)),
  'a page in place of the picture': answer(200, { 'content-type': 'text/html' }, '<!doctype html><title>wait</title>'),
  'an empty answer': answer(200),
};

for (const [name, behaviour] of Object.entries(GOOD_AT_LAST)) {
  test(`${name} is tried again, a little later each time`, async () => {
    const { result, sent } = await fetched(CDN, (_request, index) => (index < 2 ? behaviour : PICTURE));
    assert.ok('ok' in result && result.ok, JSON.stringify(result));
    const [first = 0, second = 0, third = 0] = sent.map(({ at }) => at);
    assert.deepEqual([sent.length, second - first >= 250, third - second >= 500, third < 1_000], [3, true, true, true]);
  });
}

test('what stays wrong is told as it was at last, after three tries', async () => {
  const page = await fetched(CDN, () => answer(200, { 'content-type': 'text/html' }, '<!doctype html><p>gone</p>'));
  assert.ok('ok' in page.result && !page.result.ok);
  assert.equal(page.sent.length, 3);
  const gone = await fetched(CDN, () => answer(410));
  assert.equal(why(gone.result), 'status 410');
  assert.equal(gone.sent.length, 3);
});

test('a picture beyond the limit is given up at once, announced or not, and not tried again', async () => {
  for (const headers of [{ 'content-length': '100000' }, {}]) {
    const big = answer(200, headers, SVG + ' '.repeat(2_000));
    const { result, sent } = await fetched(CDN, () => big, { results: HOSTS, maxResultBytes: 1_000 });
    assert.match(why(result), /larger than the 1000 bytes allowed/);
    assert.equal(sent.length, 1);
  }
});

test('a cancel ends a wait and a download at once', async () => {
  for (const [behaviour, cancelMs] of [
    [answer(404), 100],
    [{ kind: 'hang' } as const, 5_000],
  ] as const) {
    const abort = new AbortController();
    const { sent, at } = await fetched(
      CDN,
      (_request, index, io) => {
        if (index === 0) io.timer(cancelMs, () => abort.abort());
        return behaviour;
      },
      { results: HOSTS, cancel: abort.signal },
    );
    assert.deepEqual([sent.length, at], [1, cancelMs]);
  }
});

test('all tries and redirects together have one clock', async () => {
  const slow: Behaviour = { kind: 'answer', afterMs: 50_000, status: 503, body: '' };
  const { result, at } = await fetched(CDN, () => slow, { results: HOSTS, maxDownloadMs: 70_000 });
  assert.ok('why' in result);
  assert.equal(at, 70_000);
});

test('over real sockets: a private address is not called, whatever its name; the configured one is', async (context) => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: image/svg+xml\r\n';
  const server = await loopback(context, (socket) =>
    socket.on('data', () => socket.end(`${head}content-length: ${SVG.length}\r\n\r\n${SVG}`)),
  );
  const lookup: NonNullable<Parameters<typeof systemIo>[0]>['lookup'] = (_host, options, callback) =>
    options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
  const io = systemIo({ lookup });
  context.after(() => io.close());
  const setting = { results: HOSTS, baseUrl: `${server.url}v1`, maxDownloadTries: 1 };
  const good = await downloadResult(`${server.url}result.svg`, downloading(io, setting));
  assert.ok('ok' in good && good.ok, JSON.stringify(good));
  const accepted = server.accepted();
  for (const url of [`https://cdn.example:${server.port}/`, 'https://cdn.example/']) {
    const bad = await downloadResult(url, downloading(io, setting));
    assert.match(why(bad), /address|public/i);
  }
  const literal = await downloadResult(
    `https://127.0.0.1:${server.port}/`,
    downloading(io, { ...setting, results: { hosts: ['127.0.0.1'] } }),
  );
  assert.match(why(literal), /address|public/i);
  assert.equal(server.accepted(), accepted);
});

test('over real sockets: an endless picture is cut off at the limit', async (context) => {
  let written = 0;
  const server = await loopback(context, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n');
      const more = (): void => {
        if (socket.destroyed) return;
        written += 65_536;
        if (socket.write(Buffer.alloc(65_536))) setImmediate(more);
        else socket.once('drain', more);
      };
      more();
    });
  });
  const io = systemIo();
  context.after(() => io.close());
  const setting = { baseUrl: server.url.slice(0, -1), maxResultBytes: 1_000_000 };
  assert.match(why(await downloadResult(server.url, downloading(io, setting))), /larger than the 1000000 bytes/);
  assert.equal(server.accepted(), 1);
  await server.emptied();
  assert.ok(written < 30_000_000, String(written));
});
