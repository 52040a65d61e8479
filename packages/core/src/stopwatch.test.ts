import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createStopwatch } from './stopwatch.ts';

suite('a stopwatch', () => {
  test('has nothing to say before anything was timed', () => {
    assert.equal(createStopwatch(() => 5).ms(), undefined);
  });

  test('counts what overlaps once, pauses not at all, and what throws too', async () => {
    let now = 0;
    const watch = createStopwatch(() => now);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const both = [watch.time(() => first.promise), watch.time(() => second.promise)];
    now = 10;
    first.resolve();
    await both[0];
    assert.equal(watch.ms(), undefined);
    now = 25;
    second.resolve();
    await both[1];
    assert.equal(watch.ms(), 25);
    now = 100;
    const failing = watch.time(async () => {
      now = 103;
      throw new Error('no picture');
    });
    await assert.rejects(failing);
    assert.equal(watch.ms(), 28);
  });
});
