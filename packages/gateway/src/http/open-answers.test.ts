import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenAnswers } from './open-answers.ts';

test('there are no more than may be, and who closes makes room', () => {
  const answers = createOpenAnswers(2);
  const ended: string[] = [];
  const first = answers.open(() => ended.push('first'));
  assert.ok(answers.open(() => ended.push('second')));
  assert.equal(
    answers.open(() => ended.push('third')),
    undefined,
  );
  first?.();
  assert.ok(answers.open(() => ended.push('fourth')));
  answers.close();
  assert.deepEqual(ended, ['second', 'fourth']);
});

test('what is opened while the gateway stops ends at once, though not before its caller knows of it', async () => {
  const answers = createOpenAnswers(1);
  answers.close();
  let ended = false;
  const close = answers.open(() => {
    ended = true;
  });
  assert.ok(close);
  assert.equal(ended, false);
  await Promise.resolve();
  assert.equal(ended, true);
});
