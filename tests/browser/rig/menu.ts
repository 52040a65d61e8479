import type { Page } from 'playwright-core';

/** A page of the menu. */
export interface MenuPage {
  readonly id: string;
  /** What is there once it shows what it was opened for: CSS selector. */
  readonly shows: string;
}

export const MENU: readonly MenuPage[] = [
  { id: 'now', shows: '.stat-value' },
  { id: 'generations', shows: 'a[href^="#/generations/gen_"]' },
  { id: 'gallery', shows: '.gallery-tile img' },
  { id: 'playground', shows: '.playground-form textarea' },
  { id: 'batches', shows: '.batches-list, .empty' },
  { id: 'costs', shows: '.stat-value' },
  { id: 'keys', shows: '.keys-list, .empty' },
  { id: 'failures', shows: '.failures-list' },
  { id: 'alerts', shows: '.alerts-list, .empty' },
  { id: 'doctor', shows: '.doctor-form' },
  { id: 'sandbox', shows: '.sandbox-stage' },
];

const MAX_WAIT_MS = 20_000;

/** Waits until the page has its heading, what it is for, and no part that still loads; resolves with when, ms from the navigation. */
export async function shown(page: Page, { shows }: MenuPage): Promise<number> {
  const handle = await page.waitForFunction(
    `document.querySelector('main h1') && document.querySelector(${JSON.stringify(`main :is(${shows})`)})
      && !document.querySelector('main .loading') && performance.now()`,
    undefined,
    { timeout: MAX_WAIT_MS, polling: 'raf' },
  );
  return Number(await handle.jsonValue());
}
