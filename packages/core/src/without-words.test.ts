import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { createHealthBook } from './health.ts';
import { createRunRig } from './testing/run-rig.ts';
import { SAMPLE_SUCCESS, sampleFailed } from './testing/samples.ts';
import { outcomeForOthers, withoutWords } from './without-words.ts';

const PROMPT = 'a heron of Ann’s,\n  on a very private lake';

suite('the words of a request', () => {
  test('are dots where a provider repeats them, whole, cut short or on another line', () => {
    const told = (text: string) => withoutWords(text, [PROMPT]);
    assert.equal(told(`no: "a heron of Ann’s, on a very private lake" is bad`), 'no: "…" is bad');
    assert.equal(told(`no: ${PROMPT} and ${PROMPT}`), 'no: … and …');
    assert.equal(told('no: a heron of Ann’s, on a very pri'), 'no: …');
    assert.equal(told('Incorrect\n key'), 'Incorrect\n key');
    assert.equal(withoutWords('a key', ['a', '', 'key']), 'a key');
  });

  test('are in none of the fields that others are told', () => {
    const outcome = sampleFailed('authentication', { message: `no ${PROMPT}`, code: `no ${PROMPT}`, param: PROMPT });
    assert.doesNotMatch(JSON.stringify(outcomeForOthers(outcome, [PROMPT])), /heron/);
    assert.equal(outcomeForOthers(SAMPLE_SUCCESS, [PROMPT]), SAMPLE_SUCCESS);
  });

  test('are found wherever they stand', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', 'heron') });
    fc.assert(
      fc.property(text, text, (before, after) => {
        assert.doesNotMatch(withoutWords(`${before} ${PROMPT} ${after}`, [PROMPT]), /private/);
      }),
    );
  });
});

test('what a closed gate tells others is without the words of the request that closed it', async () => {
  const health = createHealthBook();
  const { clock, start } = createRunRig({
    health,
    play: () => ({ outcome: sampleFailed('authentication', { message: 'no key for hello' }), afterMs: 10 }),
  });
  const { outcome } = await clock.drive(start('run', ['a']));
  assert.ok(!outcome.ok && outcome.failure.message.includes('hello'), 'its own caller is told what was said');
  assert.deepEqual(
    health.report(clock.now()).map(({ reason }) => reason),
    ['no key for …'],
  );
});
