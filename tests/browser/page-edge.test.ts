/** The page as a browser gets it: it opens, keeps to itself, and its policy and its session hold against other pages. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { countElements, findBarriers, layoutShift, measureMainThread } from './rig/measure.ts';
import { openPage } from './rig/page.ts';

const KEY = 'the-key-of-the-environment';
const launched = await launchBrowser();
const { skip } = launched;
let gateway: RunningGateway;
let guarded: RunningGateway;

before(async () => {
  if (skip) return;
  [gateway, guarded] = await Promise.all([startGateway(), startGateway({ env: { ONETAKE_ADMIN_KEY: KEY } })]);
});
after(async () => {
  await launched.close();
  await Promise.all([gateway?.close(), guarded?.close()]);
});

test('the page opens, asks nobody else, and breaks no rule of its policy', { skip }, async () => {
  const opened = await openPage(launched, gateway, { theme: 'dark', width: 360 });
  await opened.page.waitForSelector('main');
  assert.ok((await countElements(opened.page)) > 10);
  assert.ok((await opened.scriptBytes()) > 1000);
  assert.ok((await layoutShift(opened.page)) >= 0);
  assert.ok(Array.isArray(await findBarriers(opened.page)));
  opened.assertClean();
  await opened.close();
});

test('what is inline does not run, and the rig sees that', { skip }, async () => {
  const opened = await openPage(launched, gateway);
  await opened.page.evaluate(`(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://127.0.0.2:9/x.png';
    document.body.append(image);
  })()`);
  await opened.page.waitForTimeout(100);
  assert.equal(await opened.page.evaluate('window.ran'), undefined);
  assert.match(opened.violations.join('\n'), /script-src/);
  assert.match(opened.violations.join('\n'), /img-src/);
  assert.throws(() => opened.assertClean());
  await opened.close();
});

test('the trace tells a task that is too long from those that are not', { skip }, async () => {
  const opened = await openPage(launched, gateway);
  const busy = (ms: number) => `(() => { const end = performance.now() + ${ms}; while (performance.now() < end); })()`;
  const long = await measureMainThread(opened.page, () => opened.page.evaluate(busy(120)));
  assert.ok((long.longTasksMs[0] ?? 0) >= 120, JSON.stringify(long));
  assert.ok(long.tasks > 0 && long.mostNodes > 0, JSON.stringify(long));
  await opened.close();
});

const IN_PAGE = `(path, options) => fetch(path, options).then((answer) => answer.status, () => 'refused')`;

test('a session made in the page is of no use to any other page', { skip }, async () => {
  const opened = await openPage(launched, guarded);
  const { page } = opened;
  const ask = (path: string, options: object) =>
    page.evaluate(`(${IN_PAGE})(${JSON.stringify(path)}, ${JSON.stringify(options)})`);
  const json = { 'content-type': 'application/json' };
  const own = { headers: { 'x-onetake-page': '1' } };
  assert.equal(await ask('/v1/targets', own), 401);
  const login = { method: 'POST', headers: json, body: JSON.stringify({ key: KEY }) };
  assert.equal(await ask('/v1/session', login), 200);
  assert.equal(await page.evaluate('document.cookie'), '');
  assert.deepEqual([await ask('/v1/targets', own), await ask('/v1/targets', {})], [200, 401]);

  // A page of the same site and of another origin: to it, browsers do send the cookie.
  const other = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>another page'));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const foreign = await opened.context.newPage();
  await foreign.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
  const statuses = await foreign.evaluate(`Promise.all([
    ['/v1/targets', { credentials: 'include', headers: { 'x-onetake-page': '1' } }],
    ['/v1/targets', { credentials: 'include' }],
    ['/v1/session', { credentials: 'include', method: 'DELETE' }],
    ['/v1/images/generations', { credentials: 'include', method: 'POST', mode: 'no-cors', body: '{"prompt":"x"}' }],
  ].map(([path, options]) => (${IN_PAGE})('${guarded.url}' + path, options)))`);
  assert.deepEqual(statuses, ['refused', 'refused', 'refused', 0]);
  assert.equal(await ask('/v1/targets', own), 200);
  const made = await page.evaluate(`fetch('/v1/generations', ${JSON.stringify(own)}).then((answer) => answer.json())`);
  assert.deepEqual((made as { data: unknown }).data, [], 'what no page may read was not done either');
  other.close();
  other.closeAllConnections();
  await opened.close();
});
