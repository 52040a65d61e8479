/** Every request with what happened to it: found, opened, read, settled, canceled and asked for again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { countElements, findBarriers } from './rig/measure.ts';
import { openPage } from './rig/page.ts';

const launched = await launchBrowser();
const { skip } = launched;
let gateway: RunningGateway;

const YAML = 'routes:\n  fails-over:\n    targets: [sandbox/503-overloaded, sandbox/ok]\n';

before(async () => {
  if (!skip) gateway = await startGateway({ yaml: YAML });
});
after(async () => {
  await launched.close();
  await gateway?.close();
});

async function make(model: string, prompt: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, prompt, size: '256x256', response_format: 'url' }),
  });
  await response.text();
  return response.headers.get('x-onetake-generation') ?? response.headers.get('location')?.split('/').at(-1) ?? '';
}

test('an empty list says what to do; new rows come in by themselves, or wait while somebody reads', {
  skip,
}, async () => {
  const opened = await openPage(launched, gateway, { route: '#/generations', theme: 'dark' });
  const { page } = opened;
  await page.getByText('Nothing was asked for yet').waitFor();
  await make('sandbox/ok', 'a first fox');
  await page.getByRole('link', { name: 'a first fox' }).waitFor();
  await page.getByRole('link', { name: 'a first fox' }).focus();
  await make('sandbox/ok', 'a second fox');
  await page.getByRole('button', { name: 'Show 1 newer' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'a second fox' }).count(), 0, 'the row that is read moved');
  await page.getByRole('button', { name: 'Show 1 newer' }).click();
  await page.getByRole('link', { name: 'a second fox' }).waitFor();
  assert.deepEqual(await findBarriers(page), []);
  opened.assertClean();
  await opened.close();
});

test('filters stand in the address, and the shortcuts walk the rows', { skip }, async () => {
  await make('sandbox/reset-after-accept', 'a lost lynx');
  const opened = await openPage(launched, gateway, { route: '#/generations?status=completed' });
  const { page } = opened;
  await page.getByRole('link', { name: 'a first fox' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'a lost lynx' }).count(), 0);
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.keyboard.press('/');
  await page.keyboard.type('lynx');
  await page.getByRole('link', { name: 'a first fox' }).waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).hash, '#/generations?text=lynx');
  await page.reload();
  await page.getByRole('link', { name: 'a lost lynx' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('to the next row').waitFor();
  assert.deepEqual(await findBarriers(page), []);
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByText('Nobody here knows whether the provider did the work').waitFor();
  opened.assertClean();
  await opened.close();
});

test('an outcome nobody knew is settled by what was found out', { skip }, async () => {
  const id = await make('sandbox/reset-after-accept', 'an unknown owl');
  const opened = await openPage(launched, gateway, { route: `#/generations/${id}`, width: 360 });
  const { page } = opened;
  await page.getByText('up to $0.04').first().waitFor();
  await page.getByRole('button', { name: 'Settle the charge' }).click();
  await page.getByLabel('It was free').check();
  await page.getByRole('button', { name: 'It was free' }).click();
  await page.getByText('Settled', { exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Settle the charge' }).count(), 0);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
  opened.assertClean();
  await opened.close();
});

test('a request that fell over shows its attempts, as a drawing and as a table, and its words', { skip }, async () => {
  const id = await make('fails-over', 'a falling falcon');
  const opened = await openPage(launched, gateway, { route: `#/generations/${id}` });
  const { page } = opened;
  await page.getByText('Attempt 3 goes to sandbox/ok.').waitFor();
  assert.equal(await page.locator('.waterfall-row').count(), 4, 'three attempts and a wait');
  await page.getByText('The same as a table').click();
  const table = page.getByRole('region', { name: 'Attempts and waits' });
  assert.match(
    (await table.textContent()) ?? '',
    /attempt 1.*sandbox\/503-overloaded.*rejected.*attempt 3.*sandbox\/ok/,
  );
  await page.getByText('All of it as JSON').click();
  await page.getByLabel('The generation as JSON').getByText('"timeline"').waitFor();
  await page.getByRole('button', { name: 'Copy as curl' }).click();
  await page.getByRole('dialog').getByText(/curl /).first().waitFor();
  assert.deepEqual(await findBarriers(page), []);
  await page.keyboard.press('Escape');
  await page.waitForFunction(`document.querySelector('.generations-picture img').naturalWidth > 0`);
  await page.getByRole('link', { name: 'Again with these settings' }).click();
  await page.getByLabel('Prompt', { exact: true }).waitFor();
  assert.equal(await page.getByLabel('Prompt', { exact: true }).inputValue(), 'a falling falcon');
  assert.equal(await page.getByLabel('Size').inputValue(), '256x256');
  opened.assertClean();
  await opened.close();
});

test('what runs is followed live, and canceled', { skip }, async () => {
  const id = await make('sandbox/hang-after-accept', 'a waiting wolf', { prefer: 'respond-async' });
  const opened = await openPage(launched, gateway, { route: `#/generations/${id}` });
  const { page } = opened;
  await page.locator('.waterfall-open').waitFor();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await page.getByRole('button', { name: 'Cancel the generation' }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.locator('.badge', { hasText: 'canceled' }).waitFor();
  opened.assertClean();
  await opened.close();
});

test('a long list is paged, and never grows beyond a page', { skip }, async () => {
  await Promise.all(Array.from({ length: 60 }, (_, at) => make('sandbox/policy', `a refusal ${at}`)));
  const opened = await openPage(launched, gateway, { route: '#/generations' });
  const { page } = opened;
  await page.getByRole('button', { name: '50 older' }).click();
  await page.getByRole('link', { name: 'a first fox' }).waitFor();
  assert.match(new URL(page.url()).hash, /after=/);
  await page.goBack();
  await page.getByRole('button', { name: '50 older' }).waitFor();
  assert.equal(await page.locator('[data-row]').count(), 50);
  assert.ok((await countElements(page)) < 1_500);
  opened.assertClean();
  await opened.close();
});
