import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Asset, createIntake, systemIo } from '@onetake/core';
import Fastify from 'fastify';
import sharp, { type Sharp } from 'sharp';
import { type DiskAssets, openDiskAssets } from '../assets/disk.ts';
import { createDecoder } from '../pictures/decoder.ts';
import { openPreviewFiles } from '../pictures/preview-files.ts';
import { createPreviewLinks } from '../pictures/preview-links.ts';
import { createPreviews } from '../pictures/previews.ts';
import { photoPixels } from '../testing/corpus.ts';
import { serveAsset } from './assets.ts';
import { createCallers } from './callers.ts';
import { createThumbnailUrl } from './previews.ts';
import { problemBody, problemHeaders, requestProblemOf } from './problem.ts';

const KEY = 'secret-key-1';
const WITH_KEY = { authorization: `Bearer ${KEY}` };

async function served(context: TestContext, { concurrency = 2, maxWaiting = 100 } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'onetake-previews-'));
  const assets = await openDiskAssets(root);
  const io = systemIo();
  const decoder = createDecoder({ assets, io, concurrency, maxWaiting });
  let decoded = 0;
  const counting = {
    ...{ running: 0, waiting: 0 },
    decode: (...[asset, work]: Parameters<typeof decoder.decode>) => {
      decoded += 1;
      return decoder.decode(asset, work);
    },
  } as typeof decoder;
  const files = await openPreviewFiles({ directory: join(root, 'previews'), maxBytes: 1e8, now: Date.now });
  const links = createPreviewLinks(Buffer.alloc(32, 7));
  const previews = createPreviews({ assets, decoder: counting, files, onError: (error) => assert.fail(String(error)) });
  const app = Fastify({ forceCloseConnections: true });
  app.decorateRequest('fromBrowser', false);
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).headers(problemHeaders(problem)).send(problemBody(problem, 'r'));
  });
  const identify = createCallers({ callers: [{ name: 'a', key: KEY }] });
  app.get('/v1/assets/:name', serveAsset(assets, { previews, links, identify }));
  context.after(async () => {
    await app.close();
    await io.close();
    rmSync(root, { recursive: true });
  });
  return { app, assets, links, decodes: () => decoded };
}

async function store(assets: DiskAssets, bytes: Buffer): Promise<Asset> {
  const intake = createIntake(assets);
  const blob = intake.openBlob();
  await blob.write(bytes);
  const settled = await intake.settle(blob.end());
  assert.ok(settled.ok, JSON.stringify(settled));
  return settled.asset;
}

function photo(): Sharp {
  return sharp(photoPixels(960, 640), { raw: { width: 960, height: 640, channels: 3 } });
}

test('a signed link serves a smaller picture, made once, with the headers of a picture', async (context) => {
  const { app, assets, links, decodes } = await served(context);
  const asset = await store(assets, await photo().png().toBuffer());
  const url = createThumbnailUrl(links, () => '/v1/assets')(asset) ?? assert.fail();
  const answers = await Promise.all([app.inject(url), app.inject(url)]);
  for (const answer of [...answers, await app.inject(url)]) {
    assert.equal(answer.statusCode, 200, answer.body);
    const { width, height, format } = await sharp(answer.rawPayload).metadata();
    assert.deepEqual([width, height, format], [256, 171, 'webp']);
    assert.equal(answer.headers['content-type'], 'image/webp');
    assert.equal(answer.headers['content-length'], String(answer.rawPayload.length));
    assert.match(String(answer.headers['cache-control']), /immutable/);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['content-security-policy'], "sandbox; default-src 'none'");
    assert.equal(answer.headers.etag, `"${asset.hash}-w256-webp-auto"`);
    assert.equal(answer.headers['content-location'], undefined);
    assert.deepEqual(answer.rawPayload, answers[0].rawPayload);
  }
  assert.equal(decodes(), 1);
});

test('HEAD, ranges and tags work as for the picture itself', async (context) => {
  const { app, assets, links } = await served(context);
  const asset = await store(assets, await photo().png().toBuffer());
  const url = `/v1/assets/${links.sign(`${asset.hash}.png`, { width: 128, format: 'jpeg', quality: 60 })}`;
  const whole = await app.inject(url);
  const size = whole.rawPayload.length;
  const head = await app.inject({ method: 'HEAD', url });
  assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, String(size), '']);
  const part = await app.inject({ url, headers: { range: 'bytes=5-9' } });
  assert.deepEqual([part.statusCode, part.headers['content-range']], [206, `bytes 5-9/${size}`]);
  assert.deepEqual(part.rawPayload, whole.rawPayload.subarray(5, 10));
  assert.equal((await app.inject({ url, headers: { range: `bytes=${size}-` } })).statusCode, 416);
  const known = await app.inject({ url, headers: { 'if-none-match': String(whole.headers.etag) } });
  assert.equal(known.statusCode, 304);
});

test('without a signature it is a 403 that names the ways out, and with a key the link comes along', async (context) => {
  const { app, assets, links, decodes } = await served(context);
  const asset = await store(assets, await photo().png().toBuffer());
  const name = `/v1/assets/${asset.hash}.png`;
  const signed = links.sign(`${asset.hash}.png`, { width: 64 });
  const refused = [
    `${name}?w=64`,
    `${name}?format=jpeg`,
    `${name}?w=64&sig=x`,
    `/v1/assets/${signed.replace('w=64', 'w=2048')}`,
  ];
  for (const url of refused) {
    const answer = await app.inject(url);
    assert.deepEqual([answer.statusCode, answer.json().error.code], [403, 'invalid_signature'], url);
    assert.match(answer.json().error.message, /thumbnail.*API key/);
  }
  assert.equal((await app.inject({ url: `${name}?w=64&sig=x`, headers: WITH_KEY })).statusCode, 403);
  assert.equal(decodes(), 0);
  const asked = await app.inject({ url: `${name}?q=50&w=64`, headers: WITH_KEY });
  assert.equal(asked.statusCode, 200);
  const link = String(asked.headers['content-location']);
  assert.deepEqual((await app.inject(link)).rawPayload, asked.rawPayload);
});

test('only widths, formats and qualities of the lists are taken', async (context) => {
  const { app, assets } = await served(context);
  const asset = await store(assets, await photo().jpeg().toBuffer());
  const wrong = ['w=100', 'w=', 'w=64&w=128', 'w=1e2', 'format=gif', 'format=svg', 'w=64&q=0', 'w=64&q=101', 'q=5'];
  for (const query of wrong) {
    const answer = await app.inject({ url: `/v1/assets/${asset.hash}.jpg?${query}`, headers: WITH_KEY });
    assert.deepEqual([answer.statusCode, answer.json().error.code], [400, 'invalid_value'], query);
  }
  for (const query of ['format=jpeg', 'x=1']) {
    const same = await app.inject(`/v1/assets/${asset.hash}.jpg?${query}`);
    assert.deepEqual([same.statusCode, same.headers.etag], [200, `"${asset.hash}"`], query);
  }
});

test('what is converted is the whole picture in the format asked for', async (context) => {
  const { app, assets } = await served(context);
  const asset = await store(assets, await photo().png().toBuffer());
  for (const format of ['jpeg', 'webp', 'avif']) {
    const answer = await app.inject({ url: `/v1/assets/${asset.hash}.png?format=${format}`, headers: WITH_KEY });
    assert.deepEqual([answer.statusCode, answer.headers['content-type']], [200, `image/${format}`]);
    assert.equal((await sharp(answer.rawPayload).metadata()).width, 960);
  }
});

test('a picture that cannot be shown otherwise is a 415, decoded once, and stays to be had as it is', async (context) => {
  const { app, assets, decodes } = await served(context);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><g/></svg>');
  const jpeg = await photo().jpeg().toBuffer();
  const cut = Buffer.concat([jpeg.subarray(0, jpeg.length / 2), jpeg.subarray(-2)]);
  const frames = sharp([await photo().toFormat('png').toBuffer(), await photo().negate().toFormat('png').toBuffer()], {
    join: { animated: true },
  });
  for (const [bytes, extension, query, code] of [
    [svg, 'svg', 'w=64', 'unsupported_format'],
    [cut, 'jpg', 'w=64', 'undecodable_picture'],
    [await frames.gif().toBuffer(), 'gif', 'format=png', 'unsupported_format'],
  ] as const) {
    const { hash } = await store(assets, bytes);
    const before = decodes();
    for (let time = 0; time < 2; time += 1) {
      const answer = await app.inject({ url: `/v1/assets/${hash}.${extension}?${query}`, headers: WITH_KEY });
      assert.deepEqual([answer.statusCode, answer.json().error.code], [415, code], answer.body);
      assert.match(answer.json().error.message, /as it is/);
    }
    assert.ok(decodes() - before <= 1);
    assert.equal((await app.inject(`/v1/assets/${hash}.${extension}`)).statusCode, 200);
  }
});

test('more than the decoder takes are told to come back, and what retention removed is gone', async (context) => {
  const { app, assets } = await served(context, { concurrency: 1, maxWaiting: 1 });
  const asset = await store(assets, await photo().png().toBuffer());
  const get = (width: number) => app.inject({ url: `/v1/assets/${asset.hash}.png?w=${width}`, headers: WITH_KEY });
  const answers = await Promise.all([64, 128, 256, 512, 1024].map(get));
  const busy = answers.filter(({ statusCode }) => statusCode === 503);
  assert.equal(busy.length, 3, answers.map(({ statusCode }) => statusCode).join());
  assert.deepEqual([busy[0]?.headers['retry-after'], busy[0]?.headers['x-should-retry']], ['2', 'true']);
  assert.ok((await Promise.all([64, 128].map(get))).every(({ statusCode }) => statusCode === 200));
  await assets.remove(asset);
  assert.equal((await get(64)).statusCode, 404);
});
