import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Picture, pictureId, readPictureId, withMark } from './gallery.ts';
import { settingsOf } from './settings.ts';

const picture = (hash: string) => ({ generation: `gen_${hash}`, index: 0, hash, mark: null }) as Picture;

test('a picture is named by its generation and its place there', () => {
  assert.equal(pictureId({ generation: 'gen_1', index: 2 }), 'gen_1:2');
  assert.deepEqual(readPictureId('gen_1:2'), { generation: 'gen_1', index: 2 });
  assert.deepEqual(readPictureId('gen_1'), { generation: 'gen_1', index: 0 });
  assert.deepEqual(readPictureId('gen_1:x'), { generation: 'gen_1', index: 0 });
});

test('a mark goes to every picture of the same bytes, and pages without one stay what they are', () => {
  const page = { data: [picture('a'), picture('b'), picture('a')], next: null };
  assert.deepEqual(
    withMark(page, 'a', 'star').data.map(({ mark }) => mark),
    ['star', null, 'star'],
  );
  assert.equal(withMark(page, 'c', 'star'), page);
  assert.equal(withMark(page, 'a', null), page);
});

test('the settings of a picture are those it was sent with', () => {
  const request = (seed: number) => ({ request: { prompt: 'a fox', seed } });
  const answer = {
    ...{ price_usd: 0.08, created_at: 1_000, finished_at: 3_500, request: { prompt: 'a fox', n: 2 } },
    sent: [request(4), request(5)],
    images: [{ seed: 4, sent: 0 }, { sent: 1 }],
  };
  const { seed, pictures, durationMs, sent } = settingsOf(answer, 1);
  assert.deepEqual(
    { seed, pictures, durationMs, sent },
    { seed: 5, pictures: 2, durationMs: 2_500, sent: request(5).request },
  );
  assert.equal(settingsOf({ price_usd: null, created_at: 0, request: {} }, 3).pictures, 1);
});
