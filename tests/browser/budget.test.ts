/** What the page may weigh, that nothing in it moves by itself, and that nobody is kept out: each page, each theme, each width. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import type { RunningGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { signIn, startLively } from './rig/lively.ts';
import { findBarriers, layoutShift } from './rig/measure.ts';
import { MENU, shown } from './rig/menu.ts';
import { type OpenedPage, openPage } from './rig/page.ts';

const MAX_SCRIPT_BYTES = 150_000;
const MAX_LAYOUT_SHIFT = 0.02;
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 360, height: 800 };
/** What a page fetches after it is there is in by then, and what was to move has moved. */
const SETTLED_MS = 400;
const MAX_TEST_MS = 60_000;

const DIRECTORY = fileURLToPath(new URL('../../packages/gateway/page/', import.meta.url));
const files = new Map(
  readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(DIRECTORY.length), readFileSync(path)] as const),
);
const launched = await launchBrowser();
const { skip } = launched;
let gateway: RunningGateway;

before(async () => {
  if (!skip) gateway = await startLively();
});
after(async () => {
  await launched.close();
  await gateway?.close();
});

const textOf = (name: string) => files.get(name)?.toString('utf8') ?? assert.fail(`the page has no ${name}`);

/** Files that must be there before the page begins: what its document names, and what that imports at once. */
function firstScripts(): readonly string[] {
  const named = [...textOf('index.html').matchAll(/"\/page\/(assets\/[^"]+\.js)"/g)].map(([, name = '']) => name);
  const found = new Set(named);
  for (const script of found)
    for (const [, name] of textOf(script).matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+\.js)"/g))
      found.add(`assets/${name}`);
  return [...found];
}

test('the script that is needed first is small', () => {
  const sizes = firstScripts().map((name) => gzipSync(textOf(name), { level: 9 }).length);
  const sum = sizes.reduce((total, bytes) => total + bytes, 0);
  assert.ok(sizes.length > 0 && sum > 10_000 && sum <= MAX_SCRIPT_BYTES, `${sum} bytes: ${firstScripts()}`);
});

test('with what the first page brings later it is small too', { skip }, async (t) => {
  const opened = await openPage(launched, gateway);
  await signIn(opened.page);
  const [now = assert.fail()] = MENU;
  await shown(opened.page, now);
  const bytes = await opened.scriptBytes();
  await opened.close();
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes > 10_000 && bytes <= MAX_SCRIPT_BYTES, `${bytes} bytes`);
});

test('every file of the page is used by it', () => {
  const reached = new Set(['index.html']);
  for (const name of reached) {
    const text = ['.html', '.js', '.css'].includes(extname(name)) ? textOf(name) : '';
    for (const other of files.keys()) if (text.includes(other.replace(/^assets\//, ''))) reached.add(other);
  }
  assert.deepEqual([...files.keys()].toSorted(), [...reached].toSorted());
  for (const name of files.keys())
    assert.match(name, /^(?:index\.html|icon\.svg|assets\/[\w.-]+-[\w-]{8}\.(?:js|css))$/);
  for (const [name, bytes] of files)
    if (extname(name) === '.html')
      assert.doesNotMatch(bytes.toString('utf8'), /<style|<script(?![^>]*\bsrc=)|\son\w+=/);
});

/** The elements that were moved, and by how many px; only where there are some. */
async function whatMoved(page: Page): Promise<string> {
  const moved =
    await page.evaluate(`new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries()
    .flatMap(({ sources, startTime }) => sources.map(({ node, previousRect: a, currentRect: b }) =>
      (node?.nodeName ?? '?') + '.' + (node?.className ?? '') + ' at ' + Math.round(startTime) + ' ms by '
      + Math.round(b.x - a.x) + ',' + Math.round(b.y - a.y))).slice(0, 12)))
    .observe({ type: 'layout-shift', buffered: true }))`);
  return JSON.stringify(moved);
}

async function openSignedIn(size: typeof WIDE): Promise<OpenedPage> {
  const opened = await openPage(launched, gateway, { ...size, route: '#/none' });
  await signIn(opened.page);
  return opened;
}

for (const [width, size] of [
  ['wide', WIDE],
  ['narrow', NARROW],
] as const)
  for (const one of MENU) {
    const name = `${one.id}, ${width}: nothing moves by itself, nothing reaches over the edge, no barrier`;
    test(name, { skip, timeout: MAX_TEST_MS }, async (t) => {
      const opened = await openSignedIn(size);
      t.after(() => opened.close());
      const { page } = opened;
      // A document of its own, so that what moved before does not count.
      await page.goto(`${gateway.url}/?${one.id}#/${one.id}`, { waitUntil: 'domcontentloaded' });
      await shown(page, one);
      await page.waitForTimeout(SETTLED_MS);
      const shift = await layoutShift(page);
      if (shift >= MAX_LAYOUT_SHIFT) assert.fail(`layout shift ${shift}: ${await whatMoved(page)}`);
      const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.ok(Number(over) <= 0, `${over} px beyond the edge`);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await findBarriers(page), [], colorScheme);
      }
      opened.assertClean();
    });
  }
