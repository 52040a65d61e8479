/** What those who run a gateway do on its page: the bill, keys, failures, alerts, the doctor and batches, as a person walks them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { findBarriers, layoutShift } from './rig/measure.ts';
import { type OpenedPage, openPage } from './rig/page.ts';

const ADMIN_KEY = 'the-key-of-who-runs-it';
const launched = await launchBrowser();
const { skip } = launched;
const heard: string[] = [];
let channel: Server;
let gateway: RunningGateway;

before(async () => {
  if (skip) return;
  channel = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => {
      body += bytes;
    });
    request.on('end', () => {
      heard.push(body);
      response.end('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(channel, 'listening');
  const { port } = channel.address() as AddressInfo;
  const yaml = `alerts:\n  channels:\n    - { name: team, kind: slack, url: "http://127.0.0.1:${port}/hook" }\n`;
  gateway = await startGateway({ yaml, env: { ONETAKE_ADMIN_KEY: ADMIN_KEY } });
});
after(async () => {
  await launched.close();
  await gateway?.close();
  channel?.close();
});

function make(model: string, key = ADMIN_KEY): Promise<Response> {
  return fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, prompt: `a fox for ${model}`, response_format: 'url' }),
  });
}

/** Signs in where it is asked to, as every context begins with no cookie. */
async function open(route: string, width = 1280): Promise<OpenedPage> {
  const opened = await openPage(launched, gateway, { route, width });
  await opened.page.getByLabel('Administrator’s key').fill(ADMIN_KEY);
  await opened.page.getByRole('button', { name: 'Sign in' }).click();
  return opened;
}

async function leave(opened: OpenedPage, expected?: RegExp): Promise<void> {
  assert.deepEqual(await findBarriers(opened.page), []);
  assert.equal(await opened.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
  opened.assertClean(expected);
  await opened.close();
}

test('a key is made, shown once, used up to its budget and revoked', { skip }, async () => {
  const opened = await open('#/keys', 400);
  const { page } = opened;
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Name', { exact: true }).fill('shop');
  await page.getByLabel('Budget in US dollars').fill('five');
  await page.getByRole('button', { name: 'Make the key' }).click();
  await page.getByText(/^budget\.usd/).waitFor();
  await page.getByLabel('Budget in US dollars').fill('0.06');
  await page.getByRole('button', { name: 'Make the key' }).click();
  const secret = page.getByRole('region', { name: 'The key shop' });
  await secret.waitFor();
  const key = (await secret.innerText()).trim();
  assert.match(key, /^sk-onetake-/);
  await page.keyboard.press('Escape');
  await page.getByText('Is it copied?').waitFor();
  await page.getByRole('button', { name: 'I have copied it' }).click();
  assert.equal((await make('sandbox/ok', key)).status, 200);
  assert.equal((await make('sandbox/ok', key)).status, 402);
  await page.reload();
  await page.getByText('$0.04 of $0.06 a day').waitFor();
  assert.equal((await page.content()).includes(key), false);
  await page.getByRole('button', { name: 'Revoke shop' }).click();
  assert.deepEqual(await findBarriers(page), []);
  await page.getByRole('button', { name: 'Revoke it' }).click();
  await page.getByText('No key is like that.').waitFor();
  assert.equal((await make('sandbox/ok', key)).status, 401);
  await leave(opened, /400 \(Bad Request\)/);
});

test('the bill is seen, by what one asks, and taken along', { skip }, async () => {
  await (await make('sandbox/ok')).text();
  const opened = await open('#/costs');
  const { page } = opened;
  await page.getByRole('region', { name: 'The bill' }).waitFor();
  await page.getByLabel('key', { exact: true }).check();
  await page.getByRole('heading', { name: 'By model and key' }).waitFor();
  const bill = page.getByRole('region', { name: 'The bill' });
  await bill.getByRole('row', { name: /sandbox\/ok admin 1 1 \$0\.04/ }).waitFor();
  await page.locator('.chart canvas').waitFor();
  assert.ok((await layoutShift(page)) < 0.1, 'the page moved by itself');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download as CSV' }).click(),
  ]);
  const csv = readFileSync(await download.path(), 'utf8');
  assert.match(csv, /^model,key,requests,.*\r\n/);
  assert.match(csv, /\r\nsandbox\/ok,admin,1,1,1,0\.04,/);
  assert.match(await download.suggestedFilename(), /^onetake-costs-.*\.csv$/);
  await leave(opened);
});

test('a failure stands once, with what it means and what was made of it', { skip }, async () => {
  await Promise.all([make('sandbox/empty'), make('sandbox/empty')]);
  const opened = await open('#/failures', 400);
  const { page } = opened;
  const group = page.locator('.failures-list li', { hasText: 'no_image_returned' });
  await group.getByText('2 times').waitFor();
  await group.getByText('Explain it').click();
  await group.getByText('What to do').waitFor();
  const link = group.getByRole('link', { name: 'all with this code' });
  assert.equal(await link.getAttribute('href'), '#/generations?code=no_image_returned');
  await page.getByLabel('Has').fill('nothing is like this');
  await group.waitFor({ state: 'detached' });
  await leave(opened);
});

test('a channel is tried out, and a rule is silenced', { skip }, async () => {
  const opened = await open('#/alerts', 400);
  const { page } = opened;
  await page.getByRole('button', { name: 'Test team' }).click();
  await page.getByText('accepted', { exact: true }).waitFor();
  assert.equal(heard.filter((body) => /text/.test(body)).length > 0, true);
  await page.getByRole('button', { name: 'Silence every disk' }).click();
  await page.getByLabel('For', { exact: true }).selectOption('a day');
  assert.deepEqual(await findBarriers(page), []);
  await page.getByRole('button', { name: 'Silence it' }).click();
  const end = page.getByRole('button', { name: 'End every silence of disk' });
  await end.click();
  await page.getByRole('button', { name: 'Silence every disk' }).waitFor();
  await leave(opened);
});

test('the doctor finds the gateway healthy, as who is signed in, and explains an error', { skip }, async () => {
  const opened = await open('#/doctor', 400);
  const { page } = opened;
  await page.getByRole('button', { name: 'Examine' }).click();
  await page.locator('.doctor-verdict').waitFor();
  await page.getByText(/ready at http/).waitFor();
  assert.equal(await page.getByText('to administrators alone').count(), 0);
  await page.getByLabel('An error').fill('{"error":{"code":"insufficient_quota"}}');
  await page.getByText('Sending it again').first().waitFor();
  await leave(opened);
});

function lines(...models: readonly string[]) {
  const url = '/v1/images/generations';
  const rows = models.map((model, index) => ({
    custom_id: `${index}`,
    method: 'POST',
    url,
    body: { model, prompt: 'a' },
  }));
  return {
    name: `${models[0]?.replace(/\W/g, '-')}.jsonl`,
    mimeType: 'application/jsonl',
    buffer: Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')),
  };
}

test('a file becomes a batch that is followed to its answers, and another is canceled', { skip }, async () => {
  const opened = await open('#/batches', 400);
  const { page } = opened;
  const file = page.getByLabel('A file of requests (.jsonl)');
  await file.setInputFiles({ name: 'prose.jsonl', mimeType: 'text/plain', buffer: Buffer.from('a fox, please') });
  await page.getByText('the first line is no JSON object').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Begin the batch' }).isDisabled(), true);
  await file.setInputFiles(lines('sandbox/ok', 'sandbox/ok'));
  await page.getByRole('button', { name: 'Begin the batch' }).click();
  const done = page.getByRole('listitem', { name: 'Batch sandbox-ok.jsonl' });
  await done.getByText('2 of 2 done').waitFor();
  await done.getByText('completed').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    done.getByRole('button', { name: /^Answers of/ }).click(),
  ]);
  assert.equal(
    readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n').length,
    2,
  );
  await file.setInputFiles(lines('sandbox/slow:60'));
  await page.getByRole('button', { name: 'Begin the batch' }).click();
  const slow = page.getByRole('listitem', { name: 'Batch sandbox-slow-60.jsonl' });
  await slow.getByRole('button', { name: 'Cancel sandbox-slow-60.jsonl' }).click();
  await page.getByRole('button', { name: 'Cancel the batch' }).click();
  await slow.getByText(/^cancell(ing|ed)$/).waitFor();
  await leave(opened);
});

test('the first key of all ends the open door, and is not lost by it', { skip }, async () => {
  const unguarded = await startGateway();
  try {
    const opened = await openPage(launched, unguarded, { route: '#/keys' });
    const { page } = opened;
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByText('From the first key on, everybody needs one').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('operator');
    await page.getByLabel('For', { exact: true }).selectOption('an administrator');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('From now on this page needs a key').waitFor();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.getByRole('heading', { name: 'operator' }).waitFor();
    opened.assertClean();
    await opened.close();
  } finally {
    await unguarded.close();
  }
});
