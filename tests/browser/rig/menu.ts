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
export async function shown(page: Page, { id, shows }: MenuPage): Promise<number> {
  // Looked at in every frame by the page itself; of what waits for a function here, its policy forbids the evaluation.
  const at = await page.evaluate(`new Promise((resolve) => {
    const look = () => {
      const isThere = document.querySelector('main h1')
        && document.querySelector(${JSON.stringify(`main :is(${shows})`)}) && !document.querySelector('main .loading');
      if (isThere) resolve(performance.now());
      else if (performance.now() < ${MAX_WAIT_MS}) requestAnimationFrame(look);
      else resolve(document.querySelector('main')?.innerText ?? 'no main');
    };
    look();
  })`);
  if (typeof at === 'number') return at;
  throw new Error(`#/${id} does not show ${shows} in ${MAX_WAIT_MS} ms: ${String(at).slice(0, 500)}`);
}
