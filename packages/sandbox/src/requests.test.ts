import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SeenRequest } from './requests.ts';
import { startSandbox } from './server.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function seenBy(use: (url: string) => Promise<unknown>): Promise<readonly SeenRequest[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'onetake-requests-'));
  const sandbox = await startSandbox({ dataDir });
  try {
    await use(sandbox.url);
    const answer = await fetch(`${sandbox.url}/requests`);
    return ((await answer.json()) as { requests: readonly SeenRequest[] }).requests;
  } finally {
    await sandbox.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

test('a request is told with its JSON, and its key only by a digest', async () => {
  const body = JSON.stringify({ model: 'gpt-image-2', prompt: "it's $5 `now`" });
  const headers = { authorization: 'Bearer sk-secret', 'content-type': 'application/json' };
  const [seen, ...others] = await seenBy((url) =>
    fetch(`${url}/v1/images/generations?a=1`, { method: 'POST', headers, body }),
  );
  assert.deepEqual(others, []);
  assert.equal(`${seen?.method} ${seen?.path}`, 'POST /v1/images/generations?a=1');
  assert.equal(seen?.headers.authorization, `Bearer sha256:${sha256('sk-secret')}`);
  assert.deepEqual(seen?.body, { bytes: Buffer.byteLength(body), sha256: sha256(body), json: JSON.parse(body) });
  assert.ok(!JSON.stringify(seen).includes('sk-secret'));
});

test('a form is told by its fields, a file by its digest; only the last hundred requests are', async () => {
  const form = new FormData();
  form.append('prompt', 'a fox');
  form.append('image', new Blob(['bytes'], { type: 'image/png' }), 'a.png');
  const seen = await seenBy(async (url) => {
    for (let index = 0; index < 101; index += 1) await fetch(`${url}/v1/models/${index}`);
    await fetch(`${url}/v1/images/edits`, { method: 'POST', body: form });
  });
  assert.equal(seen.length, 100);
  assert.equal(seen[0]?.path, '/v1/models/2');
  assert.deepEqual(seen.at(-1)?.body?.form, [
    { name: 'prompt', value: 'a fox' },
    { name: 'image', filename: 'a.png', type: 'image/png', bytes: 5, sha256: sha256('bytes') },
  ]);
});
