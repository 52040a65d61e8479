import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodePng } from '../testing/decode-png.ts';
import { createCanvas } from './canvas.ts';
import { letterColumns, wrap } from './font.ts';
import { encodeJpeg } from './jpeg.ts';
import { codeLengths } from './prefix-codes.ts';
import { composeScene } from './scene.ts';
import { runInSlices } from './slices.ts';
import { createStudio, type Order } from './studio.ts';
import { encodeWebp } from './webp.ts';

const ORDER: Order = {
  prompt: 'a red fox & <friends>',
  seed: 7,
  model: 'ok',
  width: 200,
  height: 150,
  transparent: false,
  format: 'png',
  quality: 90,
  reduction: 1,
};

test('the same order gives the same bytes in every format, also from another studio', async () => {
  for (const format of ['png', 'jpeg', 'webp', 'svg'] as const) {
    const one = await createStudio().draw({ ...ORDER, format });
    assert.ok(one.equals(await createStudio().draw({ ...ORDER, format })));
  }
});

test('prompt, seed, size and reference each change the picture', async () => {
  const studio = createStudio();
  const changes = [
    {},
    { prompt: 'two foxes' },
    { seed: 8 },
    { width: 201 },
    { reference: 'ab'.repeat(32) },
    { black: true as const },
  ];
  const pictures = await Promise.all(changes.map((change) => studio.draw({ ...ORDER, ...change })));
  assert.equal(new Set(pictures.map((bytes) => bytes.toString('base64'))).size, changes.length);
});

test('a PNG decodes to the size asked for, at every small size', async () => {
  const studio = createStudio();
  for (const [width, height] of [
    [1, 1],
    [1, 300],
    [300, 1],
    [7, 13],
    [129, 128],
    [640, 333],
  ] as const) {
    const decoded = decodePng(await studio.draw({ ...ORDER, width, height }));
    assert.deepEqual([decoded.width, decoded.height, decoded.channels], [width, height, 3]);
  }
});

test('a transparent picture has clear and opaque pixels', async () => {
  const { channels, pixels } = decodePng(
    await createStudio().draw({ ...ORDER, prompt: 'mountains', transparent: true }),
  );
  const alphas = new Set(pixels.filter((_, at) => at % 4 === 3));
  assert.equal(channels, 4);
  assert.ok(alphas.has(0) && alphas.has(255));
});

test('black is black, a reduction is a smaller picture of the same scene', async () => {
  const studio = createStudio();
  assert.ok(decodePng(await studio.draw({ ...ORDER, black: true })).pixels.every((value) => value === 0));
  const half = decodePng(await studio.draw({ ...ORDER, reduction: 2 }));
  assert.deepEqual([half.width, half.height], [100, 75]);
  const whole = decodePng(await studio.draw(ORDER));
  for (const [x, y] of [
    [10, 5],
    [50, 10],
    [90, 15],
  ] as const) {
    for (let channel = 0; channel < 3; channel++) {
      const one = half.pixels[(y * 100 + x) * 3 + channel] ?? 0;
      assert.ok(Math.abs(one - (whole.pixels[(y * 2 * 200 + x * 2) * 3 + channel] ?? 0)) < 48);
    }
  }
});

test('the prompt stands in the picture, letter by letter', async () => {
  const text = composeScene(ORDER).shapes.find((shape) => shape.kind === 'text');
  assert.ok(text?.kind === 'text' && text.text === ORDER.prompt);
  const { pixels } = decodePng(await createStudio().draw(ORDER));
  [...ORDER.prompt].forEach((letter, place) => {
    letterColumns(letter).forEach((column, across) => {
      for (let line = 0; line < 8; line++) {
        const at: number = ((text.y + line) * 200 + text.x + place * 6 + across) * 3;
        assert.equal((column >> line) & 1 ? 255 : 0, pixels[at] === 255 ? 255 : 0);
      }
    });
  });
});

test('an SVG carries the prompt as escaped text and no control characters', async () => {
  const svg = (await createStudio().draw({ ...ORDER, prompt: 'a\u0001 <b> & c', format: 'svg' })).toString();
  assert.match(svg, /^<svg [^>]*width="200" height="150"/u);
  assert.ok(svg.includes('a? &lt;b&gt; &amp; c'));
});

test('a big picture is a valid PNG of about that many bytes', async () => {
  const { png, side } = await createStudio().big(0.5);
  assert.ok(png.length >= 500_000 && png.length < 510_000);
  assert.equal(decodePng(png).width, side);
});

test('text wraps at spaces, cuts long words and says when something is left out', () => {
  assert.deepEqual(wrap('a red\nfox sleeps', 9, 3), ['a red fox', 'sleeps']);
  assert.deepEqual(wrap('abcdefghij', 4, 3), ['abcd', 'efgh', 'ij']);
  assert.deepEqual(wrap('one two three four', 5, 2), ['one', 'tw...']);
  assert.deepEqual(wrap('', 5, 2), []);
});

test('code lengths stay within fifteen bits and fill the code space, however skewed the counts', () => {
  const fibonacci = [1, 1];
  while (fibonacci.length < 40) fibonacci.push((fibonacci.at(-1) ?? 0) + (fibonacci.at(-2) ?? 0));
  const lengths = codeLengths(Uint32Array.from(fibonacci));
  assert.ok(lengths.every((length) => length >= 1 && length <= 15));
  assert.equal(
    lengths.reduce((sum, length) => sum + 2 ** -length, 0),
    1,
  );
});

// The digests are of bytes that libwebp's dwebp and libjpeg-turbo's djpeg decode to the pixels below.
test('WebP and JPEG bytes are those that the reference decoders accepted', async () => {
  const canvas = createCanvas(37, 21);
  canvas.pixels.forEach((_, at) => {
    const [x, y] = [at % 37, Math.floor(at / 37)];
    canvas.bytes.set([x * 6, y * 11, x < 20 ? 40 : (x * y) % 256, (x + y) % 5 === 0 ? 90 : 255], at * 4);
  });
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  assert.equal(digest(await runInSlices(encodeWebp(canvas, true))), '6ffb5682640b5383');
  assert.equal(digest(await runInSlices(encodeWebp(canvas, false))), '5e9251dccef4bf3d');
  assert.equal(digest(await runInSlices(encodeJpeg(canvas, 85))), '2452eeec24039d76');
});
