/** How things stand, as who runs a gateway watches it: it comes by itself, breakers are reset, and a line that is down says so. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { findBarriers, layoutShift } from './rig/measure.ts';
import { openPage } from './rig/page.ts';

const launched = await launchBrowser();
const { skip } = launched;
let gateway: RunningGateway;

before(async () => {
  if (!skip) gateway = await startGateway();
});
after(async () => {
  await launched.close();
  await gateway?.close();
});

function make(model: string, prompt: string): Promise<Response> {
  return fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt, response_format: 'url' }),
  });
}

async function figure(page: Page, label: string): Promise<string> {
  const stat = page.locator('.stat', { hasText: label });
  return (await stat.locator('.stat-value').textContent()) ?? '';
}

test('before the first request it says how to make one', { skip }, async () => {
  const opened = await openPage(launched, gateway, { width: 360, theme: 'dark' });
  const { page } = opened;
  await page.getByText('Nothing ended in the last hour').waitFor();
  assert.match((await page.locator('.code').textContent()) ?? '', /curl .*\/v1\/images\/generations/);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
  assert.deepEqual(await findBarriers(page), []);
  opened.assertClean();
  await opened.close();
});

test('what happens is seen without asking, in the charts that are there', { skip }, async () => {
  const opened = await openPage(launched, gateway);
  const { page } = opened;
  await page.getByText('live', { exact: true }).waitFor();
  await (await make('sandbox/ok', 'a first fox')).text();
  await page.locator('.chart canvas').first().waitFor();
  await page.evaluate(`document.querySelector('.chart canvas').dataset.first = 'yes'`);
  const slow = make('sandbox/slow:2', 'a slow snail');
  const row = page.getByRole('link', { name: 'a slow snail' });
  await row.waitFor();
  assert.match((await row.getAttribute('href')) ?? '', /^#\/generations\/gen_/);
  await (await slow).text();
  await row.waitFor({ state: 'detached' });
  await page.locator('.stat', { hasText: '2 ended, 0 failed' }).waitFor();
  assert.equal(await figure(page, 'Success'), '100 %');
  assert.equal(await figure(page, 'Running'), '0 / 0');
  assert.equal(await page.locator('.chart canvas[data-first]').count(), 1, 'the chart was made anew');
  assert.match((await page.locator('.chart').first().getAttribute('aria-label')) ?? '', /2 ended, 0 failed/);
  opened.assertClean();
  await opened.close();
});

test('a breaker that is open says why, and is reset; a target is drained and resumed', { skip }, async () => {
  const opened = await openPage(launched, gateway);
  const { page } = opened;
  await (await make('sandbox/ok', 'a fox that is well')).text();
  for (let tries = 0; tries < 3; tries += 1) await (await make('sandbox/500', `a house ${tries}`)).text();
  const target = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: 'Drain sandbox/500' }) });
  await target.getByText('open', { exact: true }).waitFor();
  const failure = page.locator('.card', { hasText: 'Newest failures' });
  await failure.getByText('generation_failed').waitFor();
  assert.match((await failure.textContent()) ?? '', /generation_failed.*The provider tried and failed/);
  assert.deepEqual(await findBarriers(page), []);
  await target.getByRole('button', { name: 'Reset sandbox/500' }).click();
  await target.getByText('closed', { exact: true }).waitFor();
  await target.getByText('Reset: the next request may go there.').waitFor();
  assert.match(
    String(await page.evaluate('document.activeElement.textContent')),
    /sandbox\/500/,
    'the focus went astray',
  );
  await page.getByRole('button', { name: 'Drain sandbox/ok' }).click();
  await page.getByRole('button', { name: 'Resume sandbox/ok' }).click();
  await page.getByRole('button', { name: 'Drain sandbox/ok' }).waitFor();
  assert.ok((await layoutShift(page)) < 0.1, 'the page moved by itself');
  opened.assertClean();
  await opened.close();
});

test('when the line is down it says so, and of when what is shown is', { skip }, async () => {
  const opened = await openPage(launched, gateway);
  const { page } = opened;
  await page.getByText('live', { exact: true }).waitFor();
  await gateway.end();
  await page.getByText('The line to the gateway is down').waitFor();
  assert.match((await page.locator('.now-line').textContent()) ?? '', /This is how it was at \d\d:\d\d:\d\d/);
  opened.assertClean(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/);
  await opened.close();
});
