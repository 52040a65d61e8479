import assert from 'node:assert/strict';
import { hostname, networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { urlHere } from '../config/environment.ts';
import { isThisMachine } from './this-machine.ts';

test('this machine is its loopback, its addresses and its name, and nothing that may be another', () => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
  for (const host of ['127.0.0.1', 'LOCALHOST', '::1', '0.0.0.0', '::', hostname(), ...own])
    assert.equal(isThisMachine(host), true, host);
  for (const host of ['192.0.2.7', '2001:db8::7', 'gateway.example', '127.0.0.1.example', 'localhost.example'])
    assert.equal(isThisMachine(host), false, host);
});

test('who listens at every address is reached, and told to others, by one that is an address', () => {
  assert.deepEqual(
    ['0.0.0.0', '::', '::1', '10.0.0.7', 'localhost'].map((host) => urlHere(host, 8484)),
    ['127.0.0.1', '127.0.0.1', '[::1]', '10.0.0.7', 'localhost'].map((name) => `http://${name}:8484`),
  );
});
