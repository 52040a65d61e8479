import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFakeCells } from '../testing/fake-cells.ts';
import { digestOf } from './admin-key.ts';
import { createLoginGuesses, GUESSES_WITHIN_MS, MAX_WRONG_KEYS } from './login-guesses.ts';
import { createSessions, openSessions, SESSION_MS } from './session.ts';

const DIGEST = digestOf('the key');
const SECRET = Buffer.alloc(32, 1);

test('a session is read again until it is over, for the key it was opened with and no other', () => {
  let now = 1_000_000.5;
  const sessions = createSessions(SECRET, () => now);
  const value = sessions.open('night.shift', DIGEST);
  assert.ok(!value.includes(DIGEST) && !value.includes(Buffer.from(DIGEST, 'hex').toString('base64url')));
  const claim = sessions.read(value);
  assert.equal(claim?.holder, 'night.shift');
  assert.deepEqual([claim?.isFor(DIGEST), claim?.isFor(digestOf('a new key'))], [true, false]);
  now += SESSION_MS - 1;
  assert.equal(sessions.read(value)?.isFor(DIGEST), true);
  now += 1;
  assert.equal(sessions.read(value), undefined);
});

test('no part of a value can be changed, nor be of another secret', () => {
  const sessions = createSessions(SECRET, () => 0);
  const value = sessions.open('admin', DIGEST);
  const [expiry = '', holder, signature = ''] = value.split('.');
  const holds = (changed: string) => sessions.read(changed)?.isFor(DIGEST) === true;
  assert.ok(holds(value));
  assert.ok(!holds(`${Number(expiry) + 1}.${holder}.${signature}`));
  assert.ok(!holds(`${expiry}.other.${signature}`));
  assert.ok(!holds(`${expiry}.${holder}.${'A'.repeat(43)}`));
  assert.equal(
    createSessions(Buffer.alloc(32, 2), () => 0)
      .read(value)
      ?.isFor(DIGEST),
    false,
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !holds(text)));
});

test('every node of a store knows the sessions of the others', async () => {
  const cells = createFakeCells().store;
  const [one, other] = await Promise.all([openSessions(cells, () => 0), openSessions(cells, () => 0)]);
  assert.equal(other.read(one.open('admin', DIGEST))?.isFor(DIGEST), true);
});

test('ten wrong keys in a minute close the login until the first of them is a minute old', () => {
  let now = 5_000;
  const guesses = createLoginGuesses(() => now);
  for (let wrong = 0; wrong < MAX_WRONG_KEYS; wrong += 1) {
    assert.equal(guesses.closedUntil(), undefined, `after ${wrong}`);
    guesses.failed();
    now += 1_000;
  }
  assert.equal(guesses.closedUntil(), 5_000 + GUESSES_WITHIN_MS);
  now = 5_000 + GUESSES_WITHIN_MS - 1;
  assert.notEqual(guesses.closedUntil(), undefined);
  now += 1;
  assert.equal(guesses.closedUntil(), undefined);
  guesses.failed();
  assert.equal(guesses.closedUntil(), 6_000 + GUESSES_WITHIN_MS);
});
