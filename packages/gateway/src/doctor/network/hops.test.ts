import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopOf, hopsThatCutAt, isOurs } from './hops.ts';

const MARKS: readonly (readonly [name: string, headers: Readonly<Record<string, string>>, text: string])[] = [
  ['Cloudflare', { server: 'cloudflare', 'cf-ray': '8f2' }, 'error code: 524'],
  ['Vercel', { 'x-vercel-error': 'ROUTER_EXTERNAL_TARGET_ERROR' }, 'An error occurred with this application.'],
  ['Heroku’s router', { server: 'Cowboy', via: '1.1 vegur' }, ''],
  ['an AWS load balancer or API gateway', { server: 'awselb/2.0' }, '<h1>504 Gateway Time-out</h1>'],
  ['an AWS load balancer or API gateway', { 'apigw-requestid': 'a=' }, '{"message":"Service Unavailable"}'],
  ['CloudFront', { 'x-amz-cf-id': 'a', via: '1.1 abc.cloudfront.net (CloudFront)' }, ''],
  ['Google’s load balancer', { via: '1.1 google' }, 'stream timeout'],
  ['Azure’s gateway', {}, '<hr><center>Microsoft-Azure-Application-Gateway/v2</center>'],
  ['Envoy or Istio', { server: 'istio-envoy' }, 'upstream request timeout'],
  ['HAProxy', {}, "<h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n"],
  ['Caddy or Traefik', { server: 'Caddy' }, ''],
  ['nginx', { server: 'nginx/1.27.2' }, '<hr><center>nginx/1.27.2</center>'],
  ['nginx', { server: 'cloudflare', 'cf-ray': '8f2' }, '<hr><center>openresty</center>'],
  ['Apache', { server: 'Apache/2.4' }, '<address>Apache/2.4.62 Server at a Port 443</address>'],
];

for (const [name, headers, text] of MARKS) {
  test(`${name} by ${JSON.stringify(headers)} ${text.slice(0, 40)}`, () => {
    assert.equal(hopOf({ headers, text })?.name, name);
  });
}

test('a page of nobody known is nobody’s, also when it links to a CDN', () => {
  const text = '<script src="https://cdnjs.cloudflare.com/a.js"></script><h1>Application error</h1>';
  assert.equal(hopOf({ headers: { server: 'intranet' }, text }), undefined);
});

test('who cuts at a time, when nothing else tells', () => {
  const names = (ms: number) => hopsThatCutAt(ms).map(({ name }) => name);
  assert.ok(names(60_200).includes('nginx'));
  assert.deepEqual(names(100_300), ['Cloudflare']);
  assert.deepEqual(names(77_000), []);
  assert.deepEqual(names(500), []);
});

test('our own answers are told from others', () => {
  assert.ok(isOurs({ headers: { 'x-onetake-provider': 'sandbox' }, text: '' }));
  assert.ok(isOurs({ headers: { 'x-request-id': 'req_2f7dd659ed8c2ac96364f682' }, text: '' }));
  assert.ok(isOurs({ headers: {}, text: '{"error":{"code":"timeout"},"onetake":{"request_id":"req_1"}}' }));
  assert.ok(!isOurs({ headers: { 'x-request-id': '2f7dd659ed8c2ac96364f682aa' }, text: '<h1>504</h1>' }));
});
