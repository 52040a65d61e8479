import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Check, Level } from './check.ts';
import { diagnose } from './diagnose.ts';
import { openWorld } from './open-world.ts';
import { wellIo } from './testing/well-io.ts';
import type { DoctorOptions } from './world.ts';

function world(timeoutMs = 2_000, options: DoctorOptions = {}) {
  return openWorld({ env: {}, cwd: '/nowhere', io: wellIo(), options, timeoutMs });
}

function check(id: string, run: Check['run'], needs?: Check['needs']): Check {
  return { id, title: id, run, ...(needs && { needs }) };
}

const finds = (id: string, level: Level) => check(id, async () => [{ id: `${id}.x`, level, message: 'x' }]);

test('the verdict is the gravest of what was found', async () => {
  const verdictOf = async (...levels: readonly Level[]) =>
    (
      await diagnose(
        world(),
        levels.map((level, index) => finds(`c${index}`, level)),
      )
    ).verdict;
  assert.equal(await verdictOf(), 0);
  assert.equal(await verdictOf('ok', 'skipped'), 0);
  assert.equal(await verdictOf('ok', 'warning', 'skipped'), 1);
  assert.equal(await verdictOf('broken', 'warning', 'ok'), 2);
});

test('eight run at once, and what they find keeps their order', async () => {
  let [running, most] = [0, 0];
  const checks = Array.from({ length: 20 }, (_, index) =>
    check(`c${index}`, async () => {
      running += 1;
      most = Math.max(most, running);
      await pause(20 - index);
      running -= 1;
      return [{ id: `c${index}.x`, level: 'ok', message: String(index) }];
    }),
  );
  const { findings } = await diagnose(world(), checks);
  assert.equal(most, 8);
  assert.deepEqual(
    findings.map(({ message }) => Number(message)),
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('a check that throws is a fault of the doctor, and the others are heard', async () => {
  const failing = check('bad', () => Promise.reject(new TypeError('no such thing')));
  const { findings, verdict } = await diagnose(world(), [failing, finds('good', 'ok')]);
  assert.equal(verdict, 2);
  assert.deepEqual(
    findings.map(({ id, check: of }) => [id, of]),
    [
      ['doctor.failed', 'bad'],
      ['good.x', 'good'],
    ],
  );
  assert.match(findings[0]?.message ?? '', /TypeError: no such thing/);
});

test('a check that hangs ends with the time it has', async () => {
  const { findings } = await diagnose(world(30), [check('slow', () => new Promise(() => {})), finds('good', 'ok')]);
  assert.deepEqual(
    findings.map(({ id, level }) => [id, level]),
    [
      ['slow.timed-out', 'warning'],
      ['good.x', 'ok'],
    ],
  );
});

test('what needs the network is left out where nothing may leave', async () => {
  const asked: string[] = [];
  const run: Check['run'] = async () => {
    asked.push('far');
    return [];
  };
  const network = check('far', run, 'network');
  const { findings, verdict } = await diagnose(world(2_000, { offline: true }), [network]);
  assert.deepEqual([asked, verdict, findings.map(({ id }) => id)], [[], 0, ['far.offline']]);
});
