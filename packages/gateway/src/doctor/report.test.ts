import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, Diagnosis, Finding } from './check.ts';
import { reportText } from './report.ts';

const CHECKS: readonly Check[] = ['keys', 'routes', 'reach', 'clock'].map((id) => ({
  ...{ id, title: `the ${id}` },
  run: async () => [],
}));

function report(findings: readonly Finding[], options = {}): string {
  const told = findings.map((finding) => ({ ...finding, check: finding.id.split('.')[0] ?? '' }));
  const isBroken = findings.some(({ level }) => level === 'broken');
  const diagnosis: Diagnosis = { findings: told, verdict: isBroken ? 2 : 0, at: 0 };
  return reportText(diagnosis, CHECKS, options);
}

const BROKEN: Finding = {
  ...{ id: 'keys.truncated', level: 'broken', message: 'OPENAI_API_KEY looks cut off' },
  ...{ advice: 'Copy it again, whole.', fix: 'export OPENAI_API_KEY=…' },
};
const WELL: Finding = { id: 'routes.lead', level: 'ok', message: 'all lead somewhere' };

test('what is wrong stands apart with its advice, what is well is one line', () => {
  assert.equal(
    report([BROKEN, WELL]),
    `the keys
  ✗ OPENAI_API_KEY looks cut off
    → Copy it again, whole.

✓ the routes: all lead somewhere

broken: 1 broken, 0 warnings, 1 well; --fix-hints shows how to mend it
`,
  );
});

test('hints are commands, to be copied as they stand', () => {
  const text = report([BROKEN], { fixHints: true });
  assert.match(text, /^ {6}export OPENAI_API_KEY=…$/m);
  assert.doesNotMatch(text, /--fix-hints/);
});

test('checks that were left out for one reason take one line', () => {
  const offline = (id: string): Finding => ({ id: `${id}.offline`, level: 'skipped', message: 'left out' });
  const text = report([WELL, offline('reach'), offline('clock')]);
  assert.match(text, /^not looked at \(--offline\): the reach, the clock$/m);
  assert.match(text, /^healthy: 0 broken, 0 warnings, 1 well, 2 not looked at$/m);
});

test('long sentences are broken at spaces, and what has none is left to be copied', () => {
  const path = `/a/${'long/'.repeat(20)}path`;
  const lines = report([{ ...BROKEN, message: `${'word '.repeat(30)}${path}` }], { width: 60 }).split('\n');
  assert.ok(lines.includes(`    ${path}`));
  assert.deepEqual(
    lines.filter((line) => line.startsWith(' ') && line.length > 60),
    [`    ${path}`],
  );
});

test('many findings of one check that are well do not bury the rest', () => {
  const many = Array.from({ length: 9 }, (_, index) => ({ ...WELL, message: `route ${index}` }));
  assert.match(report(many), /^✓ the routes: route 0; route 1; route 2; route 3; 5 more of the kind$/m);
});

test('findings with the same advice are told it once', () => {
  const reach = (host: string): Finding => ({
    ...{ id: 'reach.dns', level: 'broken', message: `nobody knows ${host}` },
    ...{ advice: 'Look at the name service.', fix: `nslookup ${host}` },
  });
  const other: Finding = { id: 'reach.port', level: 'broken', message: 'refused', advice: 'Open the port.' };
  assert.equal(
    report([reach('a.example'), other, reach('b.example')], { fixHints: true }).split('\n\n')[0],
    `the reach
  ✗ nobody knows a.example
  ✗ nobody knows b.example
    → Look at the name service.
      nslookup a.example
      nslookup b.example
  ✗ refused
    → Open the port.`,
  );
});

test('what a provider said cannot move the cursor', () => {
  const text = report([{ ...BROKEN, message: 'a\u001b[2Jb\u202ec' }]);
  assert.ok(!text.includes('\u001b') && !text.includes('\u202e'), text);
});
