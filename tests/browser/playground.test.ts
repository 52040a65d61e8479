/** A picture is made from the page: what it costs, while it is drawn, from pictures, with candidates, and not twice. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { launchBrowser } from './rig/chromium.ts';
import { findBarriers } from './rig/measure.ts';
import { openPage } from './rig/page.ts';

const launched = await launchBrowser();
const { skip } = launched;
let gateway: RunningGateway;

/** Capabilities without a provider behind them: nothing is sent there. */
const YAML = `providers:
  lab: { kind: openai-compatible, base_url: http://127.0.0.1:9/v1 }
models:
  lab/narrow:
    operations: [generate]
    size: { kind: ratio, ratios: ['1:1', '16:9'] }
    price: { per_image_usd: 0.05 }
`;

before(async () => {
  if (!skip) gateway = await startGateway({ yaml: YAML });
});
after(async () => {
  await launched.close();
  await gateway?.close();
});

interface Ledger {
  readonly models: Readonly<Record<string, { readonly requests: number; readonly charged: number }>>;
}

async function billOf(model: string) {
  const ledger = (await (await fetch(`${gateway.sandboxUrl}/ledger`)).json()) as Ledger;
  return ledger.models[model];
}

test('the cost stands there before it is sent; a double click pays once, and previews are seen', { skip }, async () => {
  const opened = await openPage(launched, gateway, { route: '#/playground' });
  const { page } = opened;
  await page.getByLabel('Model or route').fill('sandbox/slow:1.5');
  await page.getByText('Write what the picture should show.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Make it' }).isDisabled());
  await page.getByLabel('Prompt', { exact: true }).fill('a lighthouse');
  await page.getByText('$0.04', { exact: true }).waitFor();
  await page.getByText('some providers bill previews').waitFor();
  await page.getByRole('button', { name: 'Make it' }).dblclick();
  await page.getByRole('img', { name: /Preview \d, not done yet/ }).waitFor();
  await page.getByRole('img', { name: /Picture 1 of “a lighthouse”/ }).waitFor();
  await page.getByText('spent $0.04').waitFor();
  assert.equal((await billOf('slow:1.5'))?.charged, 1);
  assert.deepEqual(await findBarriers(page), []);
  opened.assertClean();
  await opened.close();
});

test('candidates are made side by side and one is picked', { skip }, async () => {
  const opened = await openPage(launched, gateway, { route: '#/playground', theme: 'dark', width: 360 });
  const { page } = opened;
  await page.getByLabel('Prompt', { exact: true }).fill('a harbour');
  await page.getByLabel('Model or route').fill('sandbox/ok');
  await page.getByLabel('Candidates').fill('3');
  await page.getByText('$0.12', { exact: true }).waitFor();
  assert.ok(await page.getByLabel('Pictures', { exact: true }).isDisabled());
  await page.getByRole('button', { name: 'Make 3 candidates' }).click();
  await page.getByRole('button', { name: 'Pick candidate 2' }).click();
  await page.getByText('picked', { exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Pick candidate 2' }).count(), 0);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
  assert.deepEqual(await findBarriers(page), []);
  opened.assertClean();
  await opened.close();
});

test('what a model cannot be told is off and says why', { skip }, async () => {
  const opened = await openPage(launched, gateway, { route: '#/playground' });
  const { page } = opened;
  await page.getByLabel('Prompt', { exact: true }).fill('a narrow street');
  await page.getByLabel('Model or route').fill('lab/narrow');
  await page.getByText('this model takes no seed').waitFor();
  assert.ok(await page.getByLabel('Seed').isDisabled());
  assert.ok(await page.getByLabel('Size').isDisabled());
  await page.getByLabel('Aspect ratio').selectOption('16:9');
  await page.getByText('$0.05', { exact: true }).waitFor();
  await page.getByRole('tab', { name: 'openai (Python)' }).click();
  await page.getByLabel('Code for openai (Python)').getByText('"aspect_ratio": "16:9"').waitFor();
  await page.getByRole('tab', { name: 'openai (Python)' }).press('ArrowRight');
  await page.getByLabel('Code for AI SDK').getByText('aspectRatio: "16:9"').waitFor();
  opened.assertClean();
  await opened.close();
});

test('pictures to work from make it an edit, and a failure comes in full', { skip }, async () => {
  const opened = await openPage(launched, gateway, { route: '#/playground' });
  const { page } = opened;
  const made = await fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox/ok', prompt: 'a start', size: '256x256' }),
  });
  const { data } = (await made.json()) as { readonly data: readonly { readonly b64_json: string }[] };
  const buffer = Buffer.from(data[0]?.b64_json ?? '', 'base64');
  await page.getByLabel('Prompt', { exact: true }).fill('with a hat');
  await page.getByLabel('Model or route').fill('sandbox/policy');
  await page.getByLabel('Choose pictures').setInputFiles({ name: 'start.png', mimeType: 'image/png', buffer });
  await page.getByRole('button', { name: 'Remove start.png' }).waitFor();
  await page.getByText('/v1/images/edits').waitFor();
  await page.getByText('$0.04', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('400 content_policy_violation').waitFor();
  await page
    .getByText(/rejected by the safety system/)
    .first()
    .waitFor();
  const link = (await page.getByRole('link', { name: 'Open the generation' }).getAttribute('href')) ?? '';
  assert.match(link, /^#\/generations\/gen_/);
  const id = link.split('/').at(-1) ?? '';
  await page.evaluate(`location.hash = '#/playground?from=${id}'`);
  await page.getByText('Filled from').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Remove / }).count(), 1, 'the pictures come along');
  assert.equal(await page.getByLabel('Model or route').inputValue(), 'sandbox/policy');
  assert.deepEqual(await findBarriers(page), []);
  opened.assertClean(/status of 400/);
  await opened.close();
});
