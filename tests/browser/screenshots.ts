/** Looks at every page, dark and light, wide and narrow, with something on each: writes docs/screenshots/PAGE-THEME-WIDTH.webp. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { call } from '../rig/call.ts';
import type { RunningGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { ADMIN_KEY, signIn, startLively } from './rig/lively.ts';
import { MENU, type MenuPage, shown } from './rig/menu.ts';
import { openPage } from './rig/page.ts';

const DIRECTORY = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const MAX_BYTES = 150_000;
const QUALITIES = [85, 70, 55];
const SETTLED_MS = 1_200;
const WIDTHS = { wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 800 } };
const HEADERS = { authorization: `Bearer ${ADMIN_KEY}` };

interface View extends MenuPage {
  readonly route: string;
  /** What is done before it is looked at. */
  readonly act?: (page: Page) => Promise<unknown>;
}

/** Pages that are empty until somebody does something. */
const ACTS: Readonly<Record<string, NonNullable<View['act']>>> = {
  async playground(page) {
    await page.getByLabel('Prompt', { exact: true }).fill('a lighthouse in a storm, oil on canvas');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.waitForSelector('.playground img[src*="/v1/assets/"], main img[src*="/v1/assets/"]');
  },
  async sandbox(page) {
    await page.getByRole('button', { name: 'Send it' }).click();
    await page.getByText('Nothing was sent yet').waitFor({ state: 'detached' });
    await page.waitForTimeout(3_000);
  },
};

async function views({ url }: RunningGateway): Promise<readonly View[]> {
  const gallery = await call(`${url}/v1/gallery?text=hare`, { headers: HEADERS });
  const ids = gallery.body.data?.map(({ generation, index }) => `${generation}:${index}`) ?? [];
  const failed = await call(`${url}/v1/generations?text=a%20red%20fox%20in&status=completed&model=image-best`, {
    headers: HEADERS,
  });
  return [
    ...MENU.map((one) => ({ ...one, route: `#/${one.id}`, ...(ACTS[one.id] && { act: ACTS[one.id] }) })),
    { id: 'generation', shows: 'img', route: `#/generations/${failed.body.data?.[0]?.id}` },
    {
      ...{ id: 'picture', shows: '.gallery-tile img', route: '#/gallery?text=hare' },
      act: (page) => page.locator('.gallery-tile').first().click(),
    },
    { id: 'compare', shows: '.compare-frame img', route: `#/compare?ids=${ids.slice(0, 3).join(',')}` },
  ];
}

/** So that something runs while the page of what runs is looked at. */
async function keepBusy(url: string): Promise<void> {
  for (const prompt of ['a heron at dawn', 'a market in the rain', 'a chess player'])
    await call(`${url}/v1/tasks`, { body: { prompt, model: 'image-slow' }, headers: HEADERS });
}

async function write(name: string, png: Buffer): Promise<number> {
  for (const quality of QUALITIES) {
    const webp = await sharp(png).webp({ quality }).toBuffer();
    if (webp.length > MAX_BYTES) continue;
    writeFileSync(join(DIRECTORY, `${name}.webp`), webp);
    return webp.length;
  }
  return assert.fail(`${name} is larger than ${MAX_BYTES} bytes in every quality`);
}

const launched = await launchBrowser();
assert.equal(launched.skip, false);
const gateway = await startLively();
mkdirSync(DIRECTORY, { recursive: true });
try {
  const all = await views(gateway);
  for (const [width, size] of Object.entries(WIDTHS))
    for (const theme of ['light', 'dark'] as const) {
      const opened = await openPage(launched, gateway, { ...size, theme });
      await signIn(opened.page);
      for (const view of all) {
        if (view.id === 'now') await keepBusy(gateway.url);
        await opened.page.goto(`${gateway.url}/?${view.id}${view.route}`, { waitUntil: 'domcontentloaded' });
        await shown(opened.page, view);
        await view.act?.(opened.page);
        await opened.page.waitForTimeout(SETTLED_MS);
        const name = `${view.id}-${theme}-${width}`;
        process.stdout.write(`${name} ${await write(name, await opened.page.screenshot())} bytes\n`);
      }
      opened.assertClean();
      await opened.close();
    }
} finally {
  await launched.close();
  await gateway.close();
}
