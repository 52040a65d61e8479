import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleImage } from '../testing/task-samples.ts';
import { pictureFields } from './answer.ts';

test('a picture that its provider marked says so, and no other says anything of it', () => {
  const { images } = pictureFields([sampleImage(), { ...sampleImage(), flagged: 'nsfw' }], []);
  assert.deepEqual(
    images.map((image) => ('flagged' in image ? image.flagged : undefined)),
    [undefined, 'nsfw'],
  );
});
