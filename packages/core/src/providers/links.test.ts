import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET } from '../testing/samples.ts';
import { assetLink, trustedUrl } from './links.ts';
import type { CallContext } from './provider.ts';

const CONTEXT: CallContext = { runId: 'run', attempt: 1, model: 'm', baseUrl: 'https://api.bfl.ai' };

test('a link to a picture is there only where the provider can reach us', () => {
  assert.equal(assetLink(CONTEXT, SAMPLE_ASSET), undefined);
  const assetsUrl = 'https://pictures.example/v1/assets';
  assert.equal(assetLink({ ...CONTEXT, assetsUrl }, SAMPLE_ASSET), `${assetsUrl}/${SAMPLE_ASSET.hash}.png`);
});

const HOSTS = ['bfl.ai'];
const ADDRESSES: readonly (readonly [told: string, used: string | undefined])[] = [
  ['https://api.eu2.bfl.ai/v1/get_result?id=1', 'https://api.eu2.bfl.ai/v1/get_result?id=1'],
  ['/v1/get_result?id=1', 'https://api.bfl.ai/v1/get_result?id=1'],
  ['https://bfl.ai/', 'https://bfl.ai/'],
  ['http://api.eu2.bfl.ai/v1', undefined],
  ['https://bfl.ai.evil.example/', undefined],
  ['https://evilbfl.ai/', undefined],
  ['https://user:pass@api.bfl.ai/', undefined],
  ['file:///etc/passwd', undefined],
  ['https://127.0.0.1/', undefined],
];

for (const [told, used] of ADDRESSES) {
  test(`${told} is ${used === undefined ? 'not called' : 'called'}`, () => {
    assert.equal(trustedUrl(told, CONTEXT, HOSTS), used);
  });
}

test('the configured address itself is called, also where it is private', () => {
  const local = { ...CONTEXT, baseUrl: 'http://127.0.0.1:4000/bfl' };
  assert.equal(trustedUrl('http://127.0.0.1:4000/bfl/x', local), 'http://127.0.0.1:4000/bfl/x');
  assert.equal(trustedUrl('http://127.0.0.1:4001/bfl/x', local), undefined);
});
