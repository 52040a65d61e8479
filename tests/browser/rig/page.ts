import assert from 'node:assert/strict';
import type { BrowserContext, Page } from 'playwright-core';
import type { LaunchedBrowser } from './chromium.ts';

export interface OpenOptions {
  readonly theme?: 'dark' | 'light';
  /** CSS pixels; default 1280. */
  readonly width?: number;
  /** Default 800. */
  readonly height?: number;
  /** Default `#/now`. */
  readonly route?: string;
}

/** A page in a browser profile of its own, and everything about it that should not have happened. */
export interface OpenedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console called an error, and what was thrown and not caught. */
  readonly errors: readonly string[];
  /** What the Content-Security-Policy kept from happening. */
  readonly violations: readonly string[];
  /** Addresses outside the gateway's origin that were asked. */
  readonly foreign: readonly string[];
  /** Fails where anything of these three happened; `expected` are errors that the test itself provoked. */
  assertClean(expected?: RegExp): void;
  /** Compressed bytes of the scripts it has loaded. */
  scriptBytes(): Promise<number>;
  close(): Promise<void>;
}

const VIOLATION = 'securitypolicyviolation';
/** Before anything of the page runs: the browser's own words name no directive where it blocks without a message. */
const WATCH = `addEventListener('${VIOLATION}', (event) => {
  console.error('${VIOLATION}: ' + event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sourceFile);
});`;

/** Opens the page of a gateway; resolves when its document is there, which is before its data is. */
export async function openPage(
  { browser }: Pick<LaunchedBrowser, 'browser'>,
  { url }: { readonly url: string },
  options: OpenOptions = {},
): Promise<OpenedPage> {
  const { theme = 'light', width = 1280, height = 800, route = '#/now' } = options;
  const context = await browser().newContext({
    ...{ colorScheme: theme, viewport: { width, height } },
    // Of a machine without one the browser makes a language that is none; and pictures of pages stay the same.
    ...{ locale: 'en-US', timezoneId: 'UTC' },
  });
  const errors: string[] = [];
  const violations: string[] = [];
  const foreign: string[] = [];
  const scripts: Promise<number>[] = [];
  await context.addInitScript(WATCH);
  context.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(`${url}/`) && !/^(?:data|blob|about):/.test(address)) foreign.push(address);
  });
  context.on('requestfinished', (request) => {
    if (request.resourceType() !== 'script') return;
    scripts.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const isViolation = message.text().startsWith(VIOLATION) || message.text().includes('Content Security Policy');
    (isViolation ? violations : errors).push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  await page.goto(`${url}/${route}`, { waitUntil: 'domcontentloaded' });
  return {
    ...{ page, context, errors, violations, foreign },
    assertClean(expected) {
      const unexpected = errors.filter((error) => expected?.test(error) !== true);
      assert.deepEqual({ errors: unexpected, violations, foreign }, { errors: [], violations: [], foreign: [] });
    },
    scriptBytes: async () => (await Promise.all(scripts)).reduce((sum, bytes) => sum + bytes, 0),
    close: () => context.close(),
  };
}
