/** The page over a store that has been in use: 10,000 generations, of which every page is there at once and the gallery scrolls. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDirectory } from '../rig/directories.ts';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { fillStore } from '../rig/ten-thousand.ts';
import { launchBrowser } from './rig/chromium.ts';
import { type Measured, measureMainThread } from './rig/measure.ts';
import { MENU, type MenuPage, shown } from './rig/menu.ts';
import { openPage } from './rig/page.ts';

const MAX_INTERACTIVE_MS = 1_000;
const MAX_TASK_MS = 50;
const MAX_NODES = 1_500;
/** The best of so many counts: what else the machine does only ever adds. */
const TRIES = 5;
const NOTCHES = 100;
const NOTCH_PX = 900;
const FRAME_MS = 16;

const launched = await launchBrowser();
const { skip } = launched;
let gateway: RunningGateway;

before(async () => {
  if (skip) return;
  const home = temporaryDirectory();
  mkdirSync(join(home, 'data'));
  await fillStore(join(home, 'data'));
  gateway = await startGateway({ home });
});
after(async () => {
  await launched.close();
  await gateway?.close();
});

/** In a profile that has seen nothing of it, scripts included. */
async function interactiveAfterMs(one: MenuPage): Promise<number> {
  const opened = await openPage(launched, gateway, { route: `#/${one.id}`, width: 1440, height: 900 });
  const ms = await shown(opened.page, one);
  opened.assertClean();
  await opened.close();
  return ms;
}

for (const one of MENU) {
  test(`${one.id} is there in under ${MAX_INTERACTIVE_MS} ms`, { skip }, async (t) => {
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && best >= MAX_INTERACTIVE_MS; tries += 1)
      best = Math.min(best, await interactiveAfterMs(one));
    t.diagnostic(`${Math.round(best)} ms`);
    assert.ok(best < MAX_INTERACTIVE_MS, `${Math.round(best)} ms, load ${loadavg()[0]}`);
  });
}

interface Scrolled extends Measured {
  readonly px: number;
}

async function scrollGallery(): Promise<Scrolled> {
  const opened = await openPage(launched, gateway, { route: '#/gallery', width: 1440, height: 900 });
  const { page } = opened;
  await page.waitForSelector('.gallery-tile img');
  await page.waitForLoadState('networkidle');
  await page.mouse.move(800, 500);
  const measured = await measureMainThread(page, async () => {
    for (let notch = 0; notch < NOTCHES; notch += 1) {
      await page.mouse.wheel(0, NOTCH_PX);
      await page.waitForTimeout(FRAME_MS);
    }
    await page.waitForLoadState('networkidle');
  });
  const px = Number(await page.evaluate('scrollY'));
  assert.ok(
    await page.evaluate(`[...document.querySelectorAll('.gallery-tile img')].every((one) => one.naturalWidth > 1)`),
  );
  opened.assertClean();
  await opened.close();
  return { ...measured, px };
}

test('thousands of pictures scroll by without a long task, in few nodes', { skip }, async (t) => {
  let best: Scrolled | undefined;
  for (let tries = 0; tries < TRIES && (best === undefined || best.longTasksMs.length > 0); tries += 1) {
    const scrolled = await scrollGallery();
    // Whatever else the machine does, the page's own work is short every time, and its nodes are few.
    assert.ok(scrolled.longestCpuMs < MAX_TASK_MS, JSON.stringify(scrolled));
    assert.ok(scrolled.mostNodes > 0 && scrolled.mostNodes < MAX_NODES, JSON.stringify(scrolled));
    assert.ok(scrolled.px > NOTCHES * NOTCH_PX * 0.9, JSON.stringify(scrolled));
    if (best === undefined || scrolled.longTasksMs.length < best.longTasksMs.length) best = scrolled;
  }
  t.diagnostic(JSON.stringify(best));
  assert.deepEqual(
    best?.longTasksMs,
    [],
    `tasks over ${MAX_TASK_MS} ms in each of ${TRIES} tries, load ${loadavg()[0]}`,
  );
});
