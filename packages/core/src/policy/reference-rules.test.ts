import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpAnswer } from '../http-answer.ts';
import type { Asset } from '../images/asset.ts';
import { SAMPLE_ASSET } from '../testing/samples.ts';
import { checkReferences, type ReferenceFinding, referenceFailure } from './reference-rules.ts';

const asset = (changes: Partial<Asset> = {}): Asset => ({
  ...SAMPLE_ASSET,
  bytes: 100_000,
  width: 640,
  height: 480,
  ...changes,
});
const MASK = asset({ alpha: true });
const MODEL = {
  model: 'acme/paint',
  capabilities: { size: { kind: 'any' }, references: { max: 2, as: 'inline' }, mask: 'alpha' },
} as const;
const codes = (findings: readonly ReferenceFinding[]) => findings.map(({ code }) => code);

test('what fits is not spoken of', () => {
  assert.deepEqual(checkReferences({ images: [asset(), asset({ type: 'webp' })], mask: MASK }, MODEL), []);
  assert.deepEqual(checkReferences({ images: [] }, { model: 'acme/unknown' }), []);
  assert.equal(referenceFailure([]), undefined);
});

test('a file that is too large names its size, the limit and the way out', () => {
  const [found] = checkReferences({ images: [asset(), asset({ bytes: 50_000_001 })] }, MODEL);
  assert.deepEqual(found, {
    code: 'file_too_large',
    field: 'image[2]',
    value: '50.01 MB',
    message: 'image[2]: it has 50.01 MB, and Onetake takes 50 MB; scale it down, or save it as a JPEG or WebP',
    wayOut: 'scale it down, or save it as a JPEG or WebP',
  });
  assert.deepEqual(checkReferences({ images: [asset({ bytes: 50_000_000 })] }, MODEL), []);
});

test('a model’s own limits go before those of everybody', () => {
  const limits = { maxBytes: 20_000_000, types: ['png', 'jpeg'], maxTotalBytes: 30_000_000 } as const;
  const images = [asset({ bytes: 20_000_001 }), asset({ type: 'webp', bytes: 12_000_000 })];
  const found = checkReferences({ images }, { ...MODEL, limits });
  assert.deepEqual(codes(found), ['file_too_large', 'unsupported_format', 'file_too_large']);
  assert.match(
    found[1]?.message ?? '',
    /image\/webp by its bytes, and acme\/paint reads image\/png, image\/jpeg; convert it to image\/png/,
  );
  assert.match(found[2]?.message ?? '', /all pictures together have 32\.01 MB/);
});

test('a format that nobody reads, and one that moves, are refused by their bytes', () => {
  const found = checkReferences({ images: [asset({ type: 'svg' }), asset({ type: 'webp', animated: true })] }, MODEL);
  assert.deepEqual(codes(found), ['unsupported_format', 'unsupported_format']);
  assert.match(found[1]?.message ?? '', /animated image\/webp/);
});

test('a mask must be a PNG with transparency, of the size of the first picture', () => {
  const images = [asset()];
  const check = (changes: Partial<Asset>) => codes(checkReferences({ images, mask: { ...MASK, ...changes } }, MODEL));
  assert.deepEqual(check({ alpha: false }), ['mask_without_alpha']);
  assert.deepEqual(check({ width: 320 }), ['mask_size_mismatch']);
  assert.deepEqual(check({ type: 'jpeg', alpha: false }), ['unsupported_format']);
  assert.deepEqual(check({ bytes: 4_000_001 }), ['file_too_large']);
  assert.deepEqual(check({ alpha: false, height: 1 }), ['mask_without_alpha', 'mask_size_mismatch']);
  assert.deepEqual(codes(checkReferences({ images: [], mask: MASK }, MODEL)), ['mask_without_image']);
});

test('pictures are counted and measured', () => {
  const limits = { minSide: 64, maxSide: 4_096, maxPixels: 1_000_000 };
  const images = [asset({ width: 63 }), asset({ width: 4_097 }), asset({ width: 1_001, height: 1_000 })];
  const found = checkReferences({ images }, { ...MODEL, limits });
  assert.deepEqual(codes(found), ['too_many_images', 'image_dimensions', 'image_dimensions', 'image_dimensions']);
  assert.match(
    found[0]?.message ?? '',
    /^image: there are 3 pictures, and an edit of acme\/paint works from 2 at most; send 2 or fewer$/,
  );
});

test('the failure has the code that callers know, and nothing was sent', () => {
  const answer = (findings: readonly ReferenceFinding[]) => {
    const failure = referenceFailure(findings);
    assert.ok(failure);
    assert.equal(failure.certainty, 'not_sent');
    const { status, code } = httpAnswer(failure);
    return [status, code, failure.param];
  };
  const images = [asset(), asset({ bytes: 60_000_000 })];
  assert.deepEqual(answer(checkReferences({ images }, MODEL)), [413, 'file_too_large', 'image']);
  assert.deepEqual(answer(checkReferences({ images: [asset({ type: 'gif' })] }, MODEL)), [
    400,
    'unsupported_format',
    'image',
  ]);
  const mask = { ...MASK, width: 1 };
  assert.deepEqual(answer(checkReferences({ images: [asset()], mask }, MODEL)), [400, 'invalid_image_file', 'mask']);
});
