import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { createLog } from '../log.ts';
import { addPage } from './page.ts';
import { MAX_PAGE_FILES, readPageFiles } from './page-files.ts';
import { problemBody, requestProblemOf } from './problem.ts';

const SCRIPT = `${'console.log("a page");'.repeat(200)}`;
const FILES = {
  'index.html': '<!doctype html><script type="module" src="/page/assets/index-3fK29_aB.js"></script>',
  'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'assets/index-3fK29_aB.js': SCRIPT,
  'assets/plain.css': 'p{}',
  'assets/index-3fK29_aB.js.map': '{}',
  'notes.txt': 'not served',
};

function directoryOf(context: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-page-'));
  context.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'assets'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

function served(context: TestContext, files: Readonly<Record<string, string>> = FILES, publicUrl?: string) {
  const app = Fastify();
  context.after(() => app.close());
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).send(problemBody(problem, 'r'));
  });
  addPage(app, {
    config: publicUrl === undefined ? {} : { publicUrl },
    log: createLog('silent'),
    welcome: () => ({ name: 'onetake' }),
    directory: directoryOf(context, files),
  });
  return (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ method, url, headers });
}

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

test('who reads HTML gets the page at /, everybody else the list of endpoints', async (context) => {
  const get = served(context);
  const page = await get('/', HTML);
  assert.equal(page.body, FILES['index.html']);
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.match(String(page.headers.vary), /Accept, Accept-Encoding/);
  for (const accept of ['*/*', 'application/json', 'text/htmlx'])
    assert.deepEqual((await get('/', { accept })).json(), { name: 'onetake' }, accept);
  assert.match(String((await get('/')).headers.vary), /Accept/);
});

test('the policy lets nothing run, load or frame from elsewhere', async (context) => {
  const get = served(context);
  for (const url of ['/', '/page/index.html', '/page/assets/index-3fK29_aB.js']) {
    const { headers } = await get(url, HTML);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;/, url);
    for (const rule of ["connect-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"])
      assert.ok(policy.includes(rule), `${url} ${rule}`);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  }
  const elsewhere = served(context, FILES, 'https://pictures.example/onetake');
  const policy = String((await elsewhere('/', HTML)).headers['content-security-policy']);
  assert.match(policy, /img-src 'self' data: blob: https:\/\/pictures\.example;/);
});

test('files are compressed as asked, kept for good where their name holds their hash, and not sent again', async (context) => {
  const get = served(context);
  const url = '/page/assets/index-3fK29_aB.js';
  const plain = await get(url);
  assert.deepEqual([plain.body, plain.headers['content-encoding']], [SCRIPT, undefined]);
  assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  const br = await get(url, { 'accept-encoding': 'gzip, deflate, br' });
  assert.deepEqual([br.headers['content-encoding'], brotliDecompressSync(br.rawPayload).toString()], ['br', SCRIPT]);
  const gzip = await get(url, { 'accept-encoding': 'gzip, br;q=0' });
  assert.deepEqual([gzip.headers['content-encoding'], gunzipSync(gzip.rawPayload).toString()], ['gzip', SCRIPT]);
  assert.equal(new Set([plain, br, gzip].map(({ headers }) => headers.etag)).size, 3);
  const again = await get(url, { 'accept-encoding': 'br', 'if-none-match': `"x", W/${br.headers.etag}` });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
  assert.equal(again.headers.etag, br.headers.etag);
  assert.equal((await get(url, { 'if-none-match': '"x"' })).statusCode, 200);
  const head = await get(url, {}, 'HEAD');
  assert.deepEqual([head.statusCode, head.body, head.headers['content-length']], [200, '', String(SCRIPT.length)]);
  assert.equal((await get('/page/assets/plain.css')).headers['cache-control'], 'no-cache');
  assert.equal((await get('/page/icon.svg')).headers['content-type'], 'image/svg+xml');
});

test('nothing but the files of the page can be reached', async (context) => {
  const get = served(context);
  const asked = [
    ...['../package.json', '..%2fpackage.json', '%2e%2e/package.json', '..%5cpackage.json', '/etc/passwd', ''],
    ...['assets', 'assets/', 'index.html%00.js', 'constructor', '__proto__', 'notes.txt', 'INDEX.HTML'],
    'assets/index-3fK29_aB.js.map',
  ];
  for (const path of asked) assert.equal((await get(`/page/${path}`, HTML)).statusCode, 404, path);
});

test('a page that was not built says how it is', async (context) => {
  const get = served(context, {});
  const { statusCode, body, headers } = await get('/', HTML);
  assert.equal(statusCode, 200);
  assert.match(body, /npm run build/);
  assert.doesNotMatch(body, /<script|<style|style=/);
  assert.match(String(headers['content-security-policy']), /default-src 'none'/);
  assert.equal((await get('/page/index.html')).statusCode, 404);
});

test('a directory that holds something else is not read', (context) => {
  const many = Object.fromEntries(Array.from({ length: MAX_PAGE_FILES + 1 }, (_, index) => [`${index}.js`, '']));
  assert.throws(() => readPageFiles(directoryOf(context, many)), /at most 200 files/);
  assert.equal(readPageFiles(join(tmpdir(), 'onetake-no-such-page')), undefined);
});
