import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventWords } from './event-words.ts';
import { shownRows } from './live-rows.ts';

test('while somebody reads, rows stay where they are and new ones are counted', () => {
  const rows = (text: string) => [...text].map((id) => ({ id, is: text }));
  const ids = (shown: { rows: readonly { id: string }[] }) => shown.rows.map(({ id }) => id).join('');
  const held = shownRows(rows('cba'), rows('edcb'), true);
  assert.deepEqual([ids(held), held.newer], ['cba', 2]);
  assert.deepEqual(
    held.rows.map((row) => row.is),
    ['edcb', 'edcb', 'cba'],
    'what is new about a row is shown',
  );
  const free = shownRows(rows('cba'), rows('edcb'), false);
  assert.deepEqual([ids(free), free.newer], ['edcb', 0]);
  assert.deepEqual(shownRows(rows('cba'), rows('zyx'), true).newer, 3);
  assert.equal(ids(shownRows([], rows('ba'), true)), 'ba');
});

test('every event of a journal is a sentence that names what matters', () => {
  const base = { at: 1_000, ms: 10, attempt: 1, target: 'openai/gpt-image-2' };
  assert.equal(eventWords({ ...base, type: 'attempt-started' }), 'Attempt 1 goes to openai/gpt-image-2.');
  assert.equal(
    eventWords({ ...base, type: 'waiting', until: 3_000, reason: 'it is throttled' }),
    'Waits 2.0 s for openai/gpt-image-2: it is throttled',
  );
  assert.equal(
    eventWords({ ...base, type: 'attempt-ended', ok: true, images: ['<png>'], status: 200 }),
    'Attempt 1 brought 1 verified picture (HTTP 200).',
  );
  assert.equal(
    eventWords({ ...base, type: 'polled', progress: 40, stage: 'drawing' }),
    'The job was looked at: drawing, 40 %.',
  );
  assert.equal(eventWords({ ...base, type: 'something-new' }), 'something-new');
});
