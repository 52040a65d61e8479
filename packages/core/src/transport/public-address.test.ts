import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { isPublicAddress, publicLookup } from './public-address.ts';

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450:4001::200e',
  '2001:4860:4860::8888',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
];

const NOT_PUBLIC = {
  'this network': ['0.0.0.0', '0.1.2.3'],
  private: ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  'shared, carrier-grade NAT': ['100.64.0.1', '100.127.255.255', '100.100.100.200'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  'link-local and metadata': [
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '192.0.0.192',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
  ],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  benchmarking: ['198.18.0.1', '198.19.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  reserved: ['240.0.0.1', '255.255.255.255', '::', '100::1', '5f00::1', '4000::1'],
  'unique and site local': ['fc00::1', 'fd12:3456::1', 'fec0::1'],
  'IPv4-mapped': [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::FFFF:169.254.169.254',
    '0:0:0:0:0:ffff:c0a8:0101',
  ],
  'IPv4-compatible': ['::127.0.0.1', '::8.8.8.8'],
  'IPv4-translated': ['::ffff:0:127.0.0.1'],
  NAT64: ['64:ff9b::127.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::8.8.8.8'],
  '6to4, Teredo, relays': ['2002:7f00:1::', '2002:808:808::1', '2001::1', '2001:0:4136:e378::1', '192.88.99.1'],
  'not an address': [
    '',
    'localhost',
    'example.com',
    '127.1',
    '0x7f000001',
    '2130706433',
    '[::1]',
    '1.1.1.1/8',
    '1.1.1.1 ',
  ],
};

for (const ip of PUBLIC) test(`${ip} is public`, () => assert.equal(isPublicAddress(ip), true));

for (const [rule, addresses] of Object.entries(NOT_PUBLIC)) {
  test(`not public: ${rule}`, () => {
    for (const ip of addresses) assert.equal(isPublicAddress(ip), false, ip);
  });
}

function resolvingTo(...addresses: LookupAddress[]): LookupFunction {
  return (_hostname, _options, callback) => callback(null, addresses);
}

function outcome(lookup: LookupFunction, all: boolean) {
  return new Promise((resolve) => {
    publicLookup(lookup)('a.example', { all }, (error, address, family) =>
      resolve(error ? error.code : [address, family]),
    );
  });
}

const ONE = { address: '8.8.8.8', family: 4 };

test('every address must be public', async () => {
  assert.deepEqual(await outcome(resolvingTo(ONE), true), [[ONE], undefined]);
  assert.deepEqual(await outcome(resolvingTo(ONE), false), ['8.8.8.8', 4]);
  assert.equal(await outcome(resolvingTo(ONE, { address: '10.0.0.1', family: 4 }), true), 'ADDRESS_DENIED');
  assert.equal(await outcome(resolvingTo(), true), 'ADDRESS_DENIED');
});
