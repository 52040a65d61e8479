import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, loadConfig } from '../config.ts';

const OWN = { rules: [{ id: 'own', action: 'refuse', terms: ['purple cow'], message: 'is not for us' }] };

function load(t: TestContext, yaml: string, files: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'rules-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ 'onetake.yaml': yaml, ...files })) writeFileSync(join(cwd, name), text);
  return loadConfig({ env: {}, cwd });
}

function faults(t: TestContext, yaml: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    load(t, yaml, files);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
  return assert.fail('it was read');
}

test('without a word the rules that ship hold nowhere, and are there for a route that asks', (t) => {
  const { promptRules } = load(t, '');
  assert.equal(promptRules.everywhere, false);
  assert.ok(promptRules.rules.rules.some(({ id }) => id === 'say-weapon'));
  assert.equal(load(t, 'prompt_rules: off').promptRules.everywhere, false);
  assert.equal(load(t, 'prompt_rules: on').promptRules.everywhere, true);
});

test('a file stands in the place of what ships', (t) => {
  const { promptRules } = load(t, 'prompt_rules: ./own.json', { 'own.json': JSON.stringify(OWN) });
  assert.deepEqual([promptRules.everywhere, promptRules.rules.rules.map(({ id }) => id)], [true, ['own']]);
});

test('every fault of the file is one of the start, with its place', (t) => {
  const rules = [
    { id: 'a', action: 'refuse', pattern: '(?=x)', message: 'is wrong' },
    { id: 'B', action: 'stop', terms: ['x'], message: 'is wrong' },
  ];
  const found = faults(t, 'prompt_rules: own.json', { 'own.json': JSON.stringify({ rules }) });
  assert.ok(found.length >= 3);
  assert.ok(found.some((one) => /^prompt_rules: .*own\.json: rules\[0\]\.pattern: expected a pattern/.test(one)));
  assert.ok(found.some((one) => /rules\[1\]\.action: expected refuse, warn, rewrite, got "stop"/.test(one)));
  assert.match(faults(t, 'prompt_rules: none.json')[0] ?? '', /on, off or a readable JSON file, got ENOENT for/);
  const broken = faults(t, 'prompt_rules: own.json', { 'own.json': '{' });
  assert.match(broken[0] ?? '', /got something that is not JSON for/);
});

test('a route has its own word, its list and its ladder', (t) => {
  const { routes } = load(
    t,
    `routes:
  a: { targets: [sandbox/ok], prompt_rules: on, refusals: { ladder: [rewrite, next_target], max_rungs: 1, max_paid: 3 } }
  b: { targets: [sandbox/ok], prompt_rules: off, refusals: { ladder: [same_again] } }`,
  );
  assert.deepEqual(routes.a?.policy, {
    promptRules: true,
    refusals: { rungs: ['rewrite', 'next_target'], maxRungs: 1, maxPaid: 3 },
  });
  assert.deepEqual(routes.b?.policy, {
    promptRules: false,
    refusals: { rungs: ['same_again'], maxRungs: 3, maxPaid: 2 },
  });
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['{}', /routes\.a\.refusals\.ladder: expected a list of laxer_setting, .*got nothing/],
  ['{ ladder: [] }', /refusals\.ladder: expected at least one rung/],
  ['{ ladder: [beg] }', /refusals\.ladder\.0: expected one of laxer_setting, .*got "beg"/],
  ['{ ladder: [rewrite], max_rungs: 9 }', /refusals\.max_rungs: expected a whole number of rungs from 1 to 8, got 9/],
  ['{ ladder: [rewrite], max_paid: 0 }', /refusals\.max_paid: expected a whole number of attempts from 1 to 10, got 0/],
  ['{ ladder: [rewrite], max_pay: 1 }', /refusals\.max_pay: expected one of ladder, max_rungs, max_paid,.*max_paid/],
];
for (const [value, says] of WRONG) {
  test(`refusals: ${value} is a fault`, (t) => {
    assert.match(faults(t, `routes: { a: { targets: [sandbox/ok], refusals: ${value} } }`)[0] ?? '', says);
  });
}
