import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, Provider } from '@onetake/core';
import { sampleLive } from '../testing/sample-live.ts';
import { createJobNews } from './job-news.ts';

const connection = (baseUrl: string): Connection => ({ id: 'p', provider: {} as Provider, baseUrl, secret: 's' });
const NEAR = connection('http://127.0.0.1:9/v1');
const FAR = connection('https://api.example.com/v1');

function rig(outside?: string) {
  const live = sampleLive();
  let told = 0;
  live.onNews(() => {
    told += 1;
  });
  const addresses = () => ({ own: 'http://127.0.0.1:8787', public: outside });
  const running = { live: (id: string) => (id === live.id ? live : undefined) };
  const news = createJobNews({ running, addresses });
  const tokenOf = (run: string) => news.urlFor(run, NEAR)?.split('/').at(-1) ?? '';
  return { news, tokenOf, told: () => told };
}

test('a provider beside us is given our own address, one far away the public one, and none where there is none', () => {
  const [inside, both] = [rig().news, rig('https://images.example.com').news];
  assert.match(inside.urlFor('gen_1.0', NEAR) ?? '', /^http:\/\/127\.0\.0\.1:8787\/v1\/jobs\/gen_1\.0\/[0-9a-f]{64}$/);
  assert.equal(inside.urlFor('gen_1.0', FAR), undefined);
  assert.match(both.urlFor('gen_1.0', FAR) ?? '', /^https:\/\/images\.example\.com\/v1\/jobs\/gen_1\.0\//);
  assert.match(both.urlFor('gen_1.0', NEAR) ?? '', /^http:\/\/127/);
});

test('news with the address of a run wake it, and nothing else does', () => {
  const { news, tokenOf, told } = rig();
  const token = tokenOf('gen_1.0');
  const wrong: readonly (readonly [string, string])[] = [
    ['gen_1.0', ''],
    ['gen_1.0', 'f'.repeat(64)],
    ['gen_1.0', `${token}0`],
    ['gen_1.1', token],
    ['gen_1.0', rig().tokenOf('gen_1.0')],
  ];
  for (const [run, given] of wrong) assert.equal(news.tell(run, given), false, `${run} ${given}`);
  assert.equal(told(), 0);
  assert.equal(news.tell('gen_1.0', token), true);
  assert.equal(told(), 1);
  assert.equal(news.tell('gen_2.0', tokenOf('gen_2.0')), false, 'a run that is not here');
});
