import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Look, Placeholder } from '../suspects.ts';
import { type Examined, score, suspicions, type Wanted } from './suspects.ts';

const ASSET = { type: 'png', width: 1024, height: 1024, animated: false, alpha: false } as const;
const PHOTO: Look = {
  width: 1024,
  height: 1024,
  meanLuma: 0.45,
  peakLuma: 0.98,
  deviation: 0.21,
  colourDeviation: 0.24,
  opaqueShare: 1,
  alphaDeviation: 0,
  contrast: 0.65,
  sharpness: 0.6,
  hash: '3c5a99f01e2d4b87',
};
const BLACK = { meanLuma: 0, peakLuma: 0, deviation: 0, colourDeviation: 0, contrast: 0, sharpness: 0 };
const NO_STRUCTURE = '0'.repeat(16);

function codes(change: Partial<Look>, more: Partial<Examined> = {}): readonly string[] {
  const look = { ...PHOTO, ...change };
  return suspicions({ request: {}, asset: ASSET, look, ...more }).map(({ code }) => code);
}

function shapes(request: Wanted, width: number, height: number): readonly string[] {
  return suspicions({ request, asset: { ...ASSET, width, height } }).map(({ code }) => code);
}

test('a photo of what was asked for is no suspect', () => {
  const request = { size: '1024x1024', outputFormat: 'png', background: 'opaque' };
  assert.deepEqual(codes({}, { request }), []);
});

test('black, one colour and nothing visible are told apart, and each says what was measured', () => {
  assert.deepEqual(codes({ ...BLACK, hash: NO_STRUCTURE }), ['black', 'placeholder']);
  assert.deepEqual(codes({ ...BLACK, meanLuma: 0.01, peakLuma: 0.06, deviation: 0.008, hash: NO_STRUCTURE }), [
    'black',
  ]);
  assert.deepEqual(codes({ deviation: 0.001, colourDeviation: 0.002, peakLuma: 0.45 }), ['uniform']);
  assert.deepEqual(codes({ opaqueShare: 0.001 }), ['transparent']);
  const [uniform] = suspicions({
    request: {},
    asset: ASSET,
    look: { ...PHOTO, deviation: 0.001, colourDeviation: 0.002 },
  });
  assert.equal(uniform?.detail, 'its colours deviate by 0.002 of 1; below 0.004 counts as one colour');
  const [black] = suspicions({ request: {}, asset: ASSET, look: { ...PHOTO, ...BLACK } });
  assert.equal(black?.detail, 'its mean luma is 0 and its brightest place 0 of 1; below 0.02 and 0.08 counts as black');
});

test('dark pictures with a light in them, and two colours of one luma, are none of these', () => {
  assert.deepEqual(codes({ meanLuma: 0.002, peakLuma: 0.3, deviation: 0.02, colourDeviation: 0.02 }), []);
  assert.deepEqual(codes({ meanLuma: 0.03, peakLuma: 0.06, deviation: 0.02, colourDeviation: 0.02 }), []);
  assert.deepEqual(codes({ deviation: 0.0003, colourDeviation: 0.5 }), []);
});

test('a drawing of one colour whose shape is in its transparency is none, however small, where transparency was asked for', () => {
  const icon = { deviation: 0, colourDeviation: 0, alphaDeviation: 0.2 };
  assert.deepEqual(codes({ ...icon, meanLuma: 1, opaqueShare: 0.13 }), []);
  assert.deepEqual(codes({ ...icon, ...BLACK, opaqueShare: 0.13, hash: '00000c0c0c0c0000' }), []);
  for (const background of ['transparent', 'auto']) {
    assert.deepEqual(codes({ ...icon, opaqueShare: 0.003 }, { request: { background } }), []);
    assert.deepEqual(codes({ ...icon, opaqueShare: 0.001 }, { request: { background } }), ['transparent']);
  }
  for (const request of [{ background: 'opaque' }, {}]) {
    assert.deepEqual(codes({ ...icon, opaqueShare: 0.01 }, { request }), ['transparent']);
  }
});

test('a little less, or a little more, than each bound is what it says', () => {
  const flat = { deviation: 0, colourDeviation: 0 };
  assert.deepEqual(codes({ opaqueShare: 0.019 }), ['transparent']);
  assert.deepEqual(codes({ opaqueShare: 0.021 }), []);
  assert.deepEqual(codes({ ...flat, alphaDeviation: 0.019 }), ['uniform']);
  assert.deepEqual(codes({ ...flat, alphaDeviation: 0.021 }), []);
  assert.deepEqual(codes({ deviation: 0.0041, colourDeviation: 0 }), []);
  assert.deepEqual(codes({ deviation: 0, colourDeviation: 0.0041 }), []);
  assert.deepEqual(shapes({ size: '1600x1600' }, 1700, 1700), []);
  assert.deepEqual(shapes({ size: '1600x1600' }, 1702, 1702), ['wrong_size']);
  assert.deepEqual(shapes({ size: '1600x1600' }, 1600, 1505), ['wrong_size', 'wrong_aspect']);
  assert.deepEqual(shapes({ size: '1600x1600' }, 1505, 1600), ['wrong_size', 'wrong_aspect']);
});

test('an animation is not judged by its first picture', () => {
  assert.deepEqual(codes(BLACK, { asset: { ...ASSET, animated: true } }), []);
});

test('a placeholder is known in other sizes and qualities, and by its brightness too', () => {
  const known: Placeholder = {
    name: 'the card of a test',
    hash: '3c5a99f01e2d4b80',
    meanLuma: 0.452,
    deviation: 0.208,
  };
  const placeholders = [known];
  assert.deepEqual(codes({}, { placeholders }), ['placeholder']);
  assert.deepEqual(codes({ meanLuma: 0.4565, deviation: 0.2125 }, { placeholders }), ['placeholder']);
  assert.deepEqual(codes({ meanLuma: 0.46 }, { placeholders }), []);
  assert.deepEqual(codes({ deviation: 0.2 }, { placeholders }), []);
  assert.deepEqual(codes({ hash: '3c5a99f01e2d4b7f' }, { placeholders }), []);
  assert.deepEqual(codes({}, { placeholders: [{ ...known, hash: 'not a hash' }] }), []);
});

test('a size within what models round to is right, the half of it is not', () => {
  assert.deepEqual(shapes({ size: '1024x1024' }, 1088, 1024), []);
  assert.deepEqual(shapes({ size: '1000x1000' }, 1024, 1024), []);
  assert.deepEqual(shapes({ size: '1024x1024' }, 513, 513), ['wrong_size']);
  assert.deepEqual(shapes({ size: '1536x1024' }, 1024, 1024), ['wrong_size', 'wrong_aspect']);
  assert.deepEqual(shapes({ size: '1536x1024' }, 1024, 1536), ['wrong_size', 'wrong_aspect']);
  assert.deepEqual(shapes({ size: 'auto' }, 77, 1), []);
  assert.deepEqual(shapes({}, 77, 1), []);
});

test('ratios as models round them are right, the next ratio is not', () => {
  assert.deepEqual(shapes({ aspectRatio: '16:9' }, 1344, 768), []);
  assert.deepEqual(shapes({ aspectRatio: '21:9' }, 1536, 672), []);
  assert.deepEqual(shapes({ aspectRatio: '4:3' }, 1152, 896), []);
  assert.deepEqual(shapes({ aspectRatio: '4:3' }, 1280, 1024), ['wrong_aspect']);
  assert.deepEqual(shapes({ aspectRatio: '9:16' }, 1344, 768), ['wrong_aspect']);
});

test('a resolution is right by its area, and wrong where it is another one', () => {
  assert.deepEqual(shapes({ resolution: '2K', aspectRatio: '16:9' }, 2752, 1536), []);
  assert.deepEqual(shapes({ resolution: '4K' }, 3840, 2160), []);
  assert.deepEqual(shapes({ resolution: '2K' }, 1024, 1024), ['wrong_size']);
});

test('a picture turned by its metadata is judged as it is shown, and a drawing of lines by its shape alone', () => {
  const turned = { ...ASSET, width: 1536, height: 1024 };
  const request = { size: '1024x1536' };
  assert.deepEqual(codes({ width: 1024, height: 1536 }, { request, asset: turned }), []);
  assert.deepEqual(
    suspicions({ request: { size: '1024x1024' }, asset: { ...ASSET, type: 'svg', width: 24, height: 24 } }),
    [],
  );
});

test('type, flag and damage are told with the words for it', () => {
  const asset = { ...ASSET, type: 'jpeg' } as const;
  assert.deepEqual(suspicions({ request: { outputFormat: 'png' }, asset, flagged: 'nsfw' }), [
    { code: 'flagged', detail: 'the provider marked the picture "nsfw"' },
    { code: 'wrong_type', detail: 'png was asked for and the bytes are jpeg' },
  ]);
  for (const outputFormat of ['jpg', 'JPEG', 'image/jpeg', 'tiff']) {
    assert.deepEqual(suspicions({ request: { outputFormat }, asset }), []);
  }
  for (const outputFormat of ['PNG', 'image/png', 'image/svg+xml']) {
    assert.deepEqual(suspicions({ request: { outputFormat }, asset })[0]?.code, 'wrong_type');
  }
  const unseen = (problem: 'undecodable' | 'busy' | 'timeout' | 'too_large') => ({ problem, detail: 'why' }) as const;
  assert.deepEqual(suspicions({ request: {}, asset, look: unseen('undecodable') }), [
    { code: 'undecodable', detail: 'why' },
  ]);
  for (const problem of ['busy', 'timeout', 'too_large'] as const) {
    assert.deepEqual(suspicions({ request: {}, asset, look: unseen(problem) }), []);
  }
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const anyLook = fc.record({
  ...{ width: fc.integer({ min: 1, max: 9_000 }), height: fc.integer({ min: 1, max: 9_000 }) },
  ...{ meanLuma: share, peakLuma: share, deviation: share, colourDeviation: share, opaqueShare: share },
  ...{ alphaDeviation: share, contrast: share, sharpness: share, hash: fc.constantFrom(NO_STRUCTURE, PHOTO.hash) },
});
const anyRequest = fc.record(
  { size: fc.constantFrom('auto', '1024x1024', '64x4096'), aspectRatio: fc.constantFrom('1:1', '16:9') },
  { requiredKeys: [] },
);

test('every score is between 0 and 1, and no suspect reaches one that is not', () => {
  fc.assert(
    fc.property(fc.option(anyLook, { nil: undefined }), anyRequest, fc.boolean(), (look, request, flag) => {
      const examined = { request, asset: ASSET, look, ...(flag && { flagged: 'nsfw' }) };
      const found = suspicions(examined);
      const points = score({ ...examined, suspicions: found });
      assert.ok(points >= 0 && points <= 1, String(points));
      assert.equal(points >= 0.5, found.length === 0);
    }),
  );
});

test('sharper, richer and nearer to the size asked for ranks higher; what was not seen ranks in the middle', () => {
  const request = { size: '1024x1024' };
  const points = (look?: Partial<Look>, asked: Wanted = request) =>
    score({ request: asked, asset: ASSET, suspicions: [], ...(look && { look: { ...PHOTO, ...look } }) });
  assert.ok(points({ sharpness: 0.7 }) > points({}));
  assert.ok(points({ contrast: 0.9 }) > points({}));
  assert.ok(points({}) > points({ width: 1088, height: 1088 }));
  assert.ok(points({ width: 1088, height: 1088 }) > points({ width: 1088, height: 1024 }));
  assert.ok(points({ width: 1344, height: 756 }, { aspectRatio: '16:9' }) > points({}, { aspectRatio: '16:9' }));
  const suspect = [{ code: 'flagged', detail: 'nsfw' }] as const;
  const best = { ...PHOTO, sharpness: 1, contrast: 1 };
  assert.equal(score({ request, asset: ASSET, look: best, suspicions: suspect }), 0.499);
  assert.ok(points({ sharpness: 0.9, contrast: 0.9 }) > points());
  assert.ok(points() > points({ sharpness: 0.1, contrast: 0.1 }));
  assert.equal(points({ sharpness: 1, contrast: 1 }), 1);
  assert.equal(points({ width: 9 }, {}), points({}, {}));
});
