import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeCells } from '../testing/fake-cells.ts';
import { createPreviewLinks, openPreviewSecret } from './preview-links.ts';

const NAME = `${'a'.repeat(64)}.png`;
const links = createPreviewLinks(Buffer.alloc(32, 1));

function signatureOf(link: string): string {
  return new URLSearchParams(link.split('?')[1]).get('sig') ?? '';
}

test('a signature opens the preview it was made for and no other', () => {
  const preview = { width: 256, format: 'jpeg', quality: 70 } as const;
  const link = links.sign(NAME, preview);
  assert.match(link, /^a{64}\.png\?w=256&format=jpeg&q=70&sig=[\w-]{22}$/);
  const signature = signatureOf(link);
  assert.ok(links.isSigned(NAME, preview, signature));
  const { width, format, quality } = preview;
  for (const other of [
    { format, quality },
    { width, format },
    { width: 512, format, quality },
    { width, quality },
  ]) {
    assert.equal(links.isSigned(NAME, other, signature), false, JSON.stringify(other));
  }
  assert.equal(links.isSigned(`b${NAME.slice(1)}`, preview, signature), false);
  assert.equal(createPreviewLinks(Buffer.alloc(32, 2)).isSigned(NAME, preview, signature), false);
  for (const wrong of ['', 'x', signature.slice(1), `${signature}AAAA`, '\u{1f600}']) {
    assert.equal(links.isSigned(NAME, preview, wrong), false, wrong);
  }
});

test('every node of a store signs with the same secret', async () => {
  const cells = createFakeCells().store;
  const secrets = await Promise.all([openPreviewSecret(cells), openPreviewSecret(cells), openPreviewSecret(cells)]);
  assert.equal(secrets[0]?.length, 32);
  for (const secret of secrets) assert.deepEqual(secret, secrets[0]);
});
