import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { createVerifier, MAX_PARTS, MAX_SIDE_PIXELS, type Verdict } from './verify.ts';

const FIXTURES = {
  'truecolour.png': { type: 'png', width: 7, height: 5, animated: false, alpha: false },
  'alpha.png': { type: 'png', width: 7, height: 5, animated: false, alpha: true },
  'palette.png': { type: 'png', width: 7, height: 5, animated: false, alpha: true },
  'baseline.jpg': { type: 'jpeg', width: 9, height: 6, animated: false, alpha: false },
  'progressive.jpg': { type: 'jpeg', width: 40, height: 30, animated: false, alpha: false },
  'restarts.jpg': { type: 'jpeg', width: 40, height: 30, animated: false, alpha: false },
  'lossy.webp': { type: 'webp', width: 9, height: 6, animated: false, alpha: false },
  'lossless.webp': { type: 'webp', width: 7, height: 5, animated: false, alpha: true },
  'lossy-alpha.webp': { type: 'webp', width: 7, height: 5, animated: false, alpha: true },
  'animated.webp': { type: 'webp', width: 6, height: 4, animated: true, alpha: false },
  'still.gif': { type: 'gif', width: 6, height: 4, animated: false, alpha: false },
  'alpha.gif': { type: 'gif', width: 6, height: 4, animated: false, alpha: true },
  'animated.gif': { type: 'gif', width: 6, height: 4, animated: true, alpha: false },
  'still.avif': { type: 'avif', width: 9, height: 6, animated: false, alpha: false },
  'alpha.avif': { type: 'avif', width: 7, height: 5, animated: false, alpha: true },
  'animated.avif': { type: 'avif', width: 9, height: 6, animated: true, alpha: true },
  'drawing.svg': { type: 'svg', width: 12, height: 48, animated: false, alpha: true },
} as const;
const NAMES = Object.keys(FIXTURES) as (keyof typeof FIXTURES)[];

function fixture(name: keyof typeof FIXTURES): Buffer {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
}

function verify(bytes: Uint8Array | string, cuts: readonly number[] = []): Verdict {
  const all = Buffer.from(bytes as string);
  const verifier = createVerifier();
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    verifier.write(all.subarray(from, cut));
    from = Math.max(from, cut);
  }
  verifier.write(all.subarray(from));
  return verifier.end();
}

function problem(bytes: Uint8Array | string): string {
  const verdict = verify(bytes);
  return verdict.ok ? `ok ${verdict.type}` : verdict.problem;
}

for (const name of NAMES) {
  test(`${name} is whole, and truncated at every byte it is not`, () => {
    const bytes = fixture(name);
    assert.deepEqual(verify(bytes), { ok: true, ...FIXTURES[name] });
    for (let length = 0; length < bytes.length; length += 1) {
      const found = problem(bytes.subarray(0, length));
      const expected = length === 0 ? 'empty' : length < 12 ? /not_an_image|truncated/ : 'truncated';
      assert.match(found, new RegExp(expected), `${length} of ${bytes.length} bytes`);
    }
  });
}

test('the verdict does not depend on how the bytes are cut', () => {
  for (const name of NAMES) {
    const bytes = fixture(name);
    const whole = verify(bytes);
    const all = Array.from(bytes, (_, at) => at);
    assert.deepEqual(verify(bytes, all), whole, `${name} byte by byte`);
    const cuts = fc.array(fc.nat(bytes.length), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (at) => assert.deepEqual(verify(bytes, at), whole)),
      { numRuns: 100 },
    );
  }
});

test('a flipped bit anywhere in a PNG is found', () => {
  for (const name of ['truecolour.png', 'alpha.png', 'palette.png'] as const) {
    const bytes = fixture(name);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(verify(flipped).ok, false, `bit ${bit}`);
    }
  }
});

test('random bytes, also after a true signature, are never a picture and never throw', () => {
  const starts = NAMES.map((name) => fixture(name).subarray(0, 16));
  const randomBytes = fc.uint8Array({ maxLength: 200 });
  const withStart = fc.tuple(fc.constantFrom(Buffer.alloc(0), ...starts), randomBytes);
  fc.assert(
    fc.property(withStart, (parts) => !verify(Buffer.concat(parts)).ok),
    { numRuns: 3000 },
  );
});

test('a picture with random damage never makes the verifier throw', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), damage, (name, changes) => {
      const bytes = fixture(name);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      verify(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('what is no picture is called that', () => {
  assert.equal(problem(''), 'empty');
  for (const text of [
    '{"error":{"message":"no"}}',
    '<!doctype html><html><body></body></html>',
    'plain text, long enough',
    '\0'.repeat(64),
    '          ',
    '<html xmlns="a"><svg></svg></html>',
    'x',
    'RIFF1234WAVEfmt ',
  ]) {
    assert.equal(problem(text), 'not_an_image', text);
  }
  const heic = Buffer.from(fixture('still.avif').toString('latin1').replaceAll('avif', 'heic'), 'latin1');
  assert.equal(problem(heic), 'not_an_image');
});

test('bytes after the end are damage where the format declares its length, and padding where it does not', () => {
  const after = (name: keyof typeof FIXTURES) => problem(Buffer.concat([fixture(name), Buffer.from([0])]));
  assert.equal(after('truecolour.png'), 'damaged');
  assert.equal(after('lossy.webp'), 'damaged');
  assert.equal(after('still.avif'), 'truncated');
  assert.equal(after('baseline.jpg'), 'ok jpeg');
  assert.equal(after('still.gif'), 'ok gif');
  assert.equal(problem(`${fixture('drawing.svg')}\n<!-- end -->\n`), 'ok svg');
  assert.equal(problem(`${fixture('drawing.svg')} text`), 'damaged');
});

test('PNG structure: animation, order, palette, sides', () => {
  const data = Buffer.from('789c63000000010001', 'hex');
  assert.deepEqual(verify(png(header(3, 2), chunk('acTL', Buffer.alloc(8)), chunk('IDAT', data))), {
    ok: true,
    type: 'png',
    width: 3,
    height: 2,
    animated: true,
    alpha: false,
  });
  assert.equal(problem(png(header(3, 2), chunk('IDAT', data), chunk('tEXt', data), chunk('IDAT', data))), 'damaged');
  assert.equal(problem(png(header(3, 2))), 'damaged', 'no data');
  assert.equal(problem(png(header(3, 2, 3), chunk('IDAT', data))), 'damaged', 'no palette');
  assert.equal(problem(png(header(3, 2), header(3, 2), chunk('IDAT', data))), 'damaged', 'two headers');
  assert.equal(problem(png(header(0, 2), chunk('IDAT', data))), 'damaged', 'no width');
  assert.equal(problem(png(header(MAX_SIDE_PIXELS + 1, 2), chunk('IDAT', data))), 'too_large');
  assert.equal(problem(png(header(60_000, 60_000), chunk('IDAT', data))), 'too_large');
});

test('JPEG: fill bytes before a marker are passed over; a scan needs a frame', () => {
  const bytes = fixture('baseline.jpg');
  const filled = Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xff, 0xff]), bytes.subarray(2)]);
  assert.equal(problem(filled), 'ok jpeg');
  assert.deepEqual(verify(filled, [3, 4, 5]), verify(filled));
  assert.equal(problem(Buffer.from('ffd8ffda0002112233ffd9', 'hex')), 'damaged');
  assert.equal(problem(Buffer.from('ffd8ffe00004aabbffd9', 'hex')), 'damaged');
});

test('JPEG: a precision that no decoder has, and markers that none knows, are damage', () => {
  const bytes = fixture('baseline.jpg');
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  const withFrame = (marker: number, precision: number) => {
    const changed = Buffer.from(bytes);
    changed[frame + 1] = marker;
    changed[frame + 4] = precision;
    return problem(changed);
  };
  assert.deepEqual(
    [8, 12, 0, 16].map((precision) => withFrame(0xc0, precision)),
    ['ok jpeg', 'damaged', 'damaged', 'damaged'],
  );
  assert.deepEqual(
    [8, 12, 0, 16].map((precision) => withFrame(0xc1, precision)),
    ['ok jpeg', 'ok jpeg', 'damaged', 'damaged'],
  );
  const withSegment = (marker: number) =>
    problem(Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, marker, 0, 2]), bytes.subarray(2)]));
  for (const marker of [0x02, 0xc8, 0xde, 0xdf, 0xf0, 0xf4, 0xf7, 0xfd]) {
    assert.equal(withSegment(marker), 'damaged', marker.toString(16));
  }
  for (const marker of [0xe0, 0xef, 0xfe]) assert.equal(withSegment(marker), 'ok jpeg', marker.toString(16));
});

test('GIF: a frame stands on its canvas', () => {
  const bytes = fixture('still.gif');
  const descriptor = bytes.indexOf(0x2c, 13 + 3 * 2 ** (((bytes[10] ?? 0) & 7) + 1));
  const framed = (left: number, top: number, width: number, height: number) => {
    const changed = Buffer.from(bytes);
    [left, top, width, height].forEach((side, at) => void changed.writeUInt16LE(side, descriptor + 1 + 2 * at));
    return problem(changed);
  };
  assert.equal(framed(0, 0, 6, 4), 'ok gif');
  assert.equal(framed(2, 1, 4, 3), 'ok gif');
  assert.equal(framed(1, 0, 6, 4), 'damaged');
  assert.equal(framed(0, 1, 6, 4), 'damaged');
  assert.equal(framed(0, 0, 60_000, 4), 'damaged');
});

test('WebP: what a canvas holds is as large as it, and frames stand on it', () => {
  const canvas = (name: 'lossy-alpha.webp' | 'animated.webp', width: number, height: number) => {
    const bytes = fixture(name);
    bytes.writeUIntLE(width - 1, 24, 3);
    bytes.writeUIntLE(height - 1, 27, 3);
    return problem(bytes);
  };
  assert.equal(canvas('lossy-alpha.webp', 7, 5), 'ok webp');
  assert.equal(canvas('lossy-alpha.webp', 4_000, 4_000), 'damaged');
  assert.equal(canvas('lossy-alpha.webp', 7, 4), 'damaged');
  assert.equal(canvas('animated.webp', 6, 4), 'ok webp');
  assert.equal(canvas('animated.webp', 60, 40), 'ok webp');
  assert.equal(canvas('animated.webp', 5, 4), 'damaged');
  assert.equal(canvas('animated.webp', 6, 3), 'damaged');
});

test('AVIF: the item that pitm names has a size of its own', () => {
  const withPrimary = (id: number) => {
    const bytes = fixture('alpha.avif');
    bytes.writeUInt16BE(id, bytes.indexOf('pitm') + 8);
    return bytes;
  };
  assert.equal(problem(withPrimary(1)), 'ok avif');
  assert.equal(problem(withPrimary(9)), 'damaged');
  const other = fixture('alpha.avif');
  const associations = other.indexOf('ipma') + 12;
  other[associations + 3] = 2;
  assert.equal(problem(other), 'damaged', 'the first picture has no ispe of its own');
});

test('a picture in more parts than any encoder makes is refused, and cheaply', () => {
  const frame = Buffer.from('21f90401000000002c0000000001000100000202440100', 'hex');
  const gif = (frames: number) =>
    Buffer.concat([
      Buffer.from('47494638396101000100800000ff0000000000', 'hex'),
      Buffer.alloc(frames * frame.length, frame),
      Buffer.from([0x3b]),
    ]);
  assert.equal(problem(gif(10_000)), 'ok gif');
  assert.equal(problem(gif(100_000)), 'too_large');
  const comments = Buffer.alloc(4 * MAX_PARTS, Buffer.from('fffe0002', 'hex'));
  const jpeg = fixture('baseline.jpg');
  assert.equal(problem(Buffer.concat([jpeg.subarray(0, 2), comments, jpeg.subarray(2)])), 'too_large');
});

test('AVIF: a last box that reaches to the end is held against the places in iloc', () => {
  const open = fixture('still.avif');
  open.writeUInt32BE(0, open.indexOf('mdat') - 4);
  assert.equal(problem(open), 'ok avif');
  assert.equal(problem(open.subarray(0, -1)), 'truncated');
});

test('SVG: balance, sizes, bounds', () => {
  const size = (attributes: string) => {
    const verdict = verify(`\uFEFF <svg xmlns="http://www.w3.org/2000/svg" ${attributes}><g/></svg>`);
    return verdict.ok ? `${verdict.width}x${verdict.height}` : verdict.problem;
  };
  assert.equal(size('width="10" height="20"'), '10x20');
  assert.equal(size('width="100%" viewBox="0 0 40.5 30"'), '41x30');
  assert.equal(size('height="2cm" viewBox="0,0,4,1"'), '303x76');
  assert.equal(size('data-x=\'width="3"\' width="1e2"'), '100x50');
  assert.equal(size(''), '300x150');
  assert.equal(size('width="0" height="3"'), 'damaged');
  assert.equal(size('width="70000" height="3"'), 'too_large');
  assert.equal(problem('<svg><g></svg>'), 'damaged');
  assert.equal(problem('<svg><a b="</a></svg>'), 'truncated');
  assert.equal(problem('<svg><a <b/></svg>'), 'damaged');
  assert.equal(problem('<svg></svg><svg></svg>'), 'damaged');
  assert.equal(problem('<svg/></svg>'), 'damaged');
  assert.equal(problem('<s:svg width="4" height="4"></s:svg >'), 'ok svg');
  assert.equal(problem(`<svg>${'<g>'.repeat(1_001)}`), 'damaged');
  assert.equal(problem(`<svg><image href="data:${'A'.repeat(70_000)}"/></svg>`), 'ok svg');
  assert.equal(problem(`<svg>${' '.repeat(16 * 1024 * 1024)}</svg>`), 'too_large');
});

function header(width: number, height: number, colour = 2): Buffer {
  const data = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, colour, 0, 0, 0]);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  return chunk('IHDR', data);
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
  bytes.writeUInt32BE(data.length, 0);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

function png(...chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks, chunk('IEND', Buffer.alloc(0))]);
}
