import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fingerprint } from './fingerprint.ts';
import { readFormFields, readImageWire } from './image-wire.ts';
import { RequestProblem } from './problem.ts';

const generate = (body: unknown) => readImageWire('generate', body);
const printOf = (body: object) => fingerprint(generate(body).canonical, []);

function refusal(body: unknown): RequestProblem {
  try {
    generate(body);
  } catch (error) {
    assert.ok(error instanceof RequestProblem, String(error));
    assert.equal(error.status, 400);
    return error;
  }
  assert.fail(`accepted ${JSON.stringify(body)}`);
}

test('every field of the wire lands where adapters look for it', () => {
  const wire = generate({
    prompt: 'a red fox',
    n: 2,
    size: '1024x1536',
    aspect_ratio: '2:3',
    resolution: '2K',
    negative_prompt: 'no hats',
    quality: 'high',
    output_format: 'webp',
    output_compression: 80,
    background: 'opaque',
    moderation: 'low',
    seed: -7,
    stream: true,
    partial_images: 2,
    response_format: 'url',
    model: 'gpt-image-2',
    user: 'u1',
    svg: { model: 'x' },
    onetake: { payment: 'strict' },
  });
  assert.deepEqual(wire.request, {
    operation: 'generate',
    prompt: 'a red fox',
    n: 2,
    size: '1024x1536',
    aspectRatio: '2:3',
    resolution: '2K',
    negativePrompt: 'no hats',
    quality: 'high',
    outputFormat: 'webp',
    outputCompression: 80,
    background: 'opaque',
    moderation: 'low',
    seed: -7,
    stream: true,
    partialImages: 2,
    extra: { user: 'u1', svg: { model: 'x' } },
  });
  assert.deepEqual([wire.model, wire.responseFormat, wire.controlsBody], ['gpt-image-2', 'url', { payment: 'strict' }]);
});

test('what is not said, or null, is left to the defaults', () => {
  const wire = generate({ prompt: 'x', n: null, size: null, model: '', stream: false, onetake: null });
  assert.deepEqual(wire.request, { operation: 'generate', prompt: 'x', n: 1 });
  assert.deepEqual([wire.model, wire.responseFormat, wire.controlsBody], [undefined, 'b64_json', undefined]);
});

test('a wrong field is named with its value, the rule and the way out', () => {
  const bad: [string, unknown, RegExp][] = [
    ['prompt', '', /text/],
    ['prompt', ' \n', /says something/],
    ['prompt', 'x'.repeat(32_001), /1 to 32000 characters/],
    ['prompt', ['x'], /an array/],
    ['n', 0, /n: 0 is not a whole number from 1 to 10; change it or leave it out/],
    ['n', 11, /1 to 10/],
    ['n', 1.5, /1 to 10/],
    ['n', '2', /"2" is not a whole number/],
    ['size', '1024', /WIDTHxHEIGHT/],
    ['size', '0x10', /WIDTHxHEIGHT/],
    ['size', '16385x16', /16384/],
    ['aspect_ratio', '16x9', /WIDTH:HEIGHT such as 16:9/],
    ['aspect_ratio', '0:9', /WIDTH:HEIGHT/],
    ['resolution', '', /1 to 64 characters/],
    ['negative_prompt', 'x'.repeat(32_001), /1 to 32000 characters/],
    ['quality', 3, /text/],
    ['output_format', 'jpg', /png, jpeg, webp/],
    ['output_compression', 101, /0 to 100/],
    ['seed', 'x', /whole number/],
    ['response_format', 'png', /b64_json or url/],
    ['stream', 'yes', /true or false/],
    ['partial_images', 4, /0 to 3/],
    ['model', 'm'.repeat(201), /200 characters/],
    ['model', 5, /model name/],
    ['prompt', 'a fox \ud83e', /surrogate pair; change it$/],
    ['model', 'm\udd8a', /surrogate pair/],
  ];
  for (const [field, value, rule] of bad) {
    const problem = refusal({ prompt: 'x', [field]: value });
    assert.deepEqual([problem.param, problem.code], [field, 'invalid_value'], `${field} ${JSON.stringify(value)}`);
    assert.match(problem.message, rule);
    assert.ok(problem.message.length < 300);
  }
  assert.deepEqual([refusal({}).param, refusal({}).code], ['prompt', 'missing_required_parameter']);
});

test('a body that is no object is refused', () => {
  for (const body of [undefined, null, [], [{ prompt: 'x' }], 'x', 5]) assert.equal(refusal(body).code, 'invalid_body');
});

test('what passes unread is bounded in depth and length', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  assert.equal(refusal({ prompt: 'x', tags: deep }).param, 'tags');
  assert.equal(refusal({ prompt: 'x', tags: 'y'.repeat(300_000) }).param, 'tags');
  assert.equal(
    generate(JSON.parse('{"prompt":"x","constructor":{"a":1}}')).request.extra?.constructor !== Object,
    true,
  );
});

test('a picture does not pass unread, and what only looks a little like one does', () => {
  const base64 = Buffer.alloc(900, 'fox').toString('base64');
  const pictures = [
    'data:image/png;base64,iVBORw0KGgo=',
    'see DATA:;base64,AAAA',
    base64,
    `x ${base64.slice(0, 1_001)}\n`,
  ];
  for (const picture of pictures) {
    for (const value of [picture, { of: [{ deep: picture }] }, { [picture]: 1 }]) {
      const { param, code, message } = refusal({ prompt: 'x', user: 'u', reference: value });
      assert.deepEqual([param, code], ['reference', 'invalid_value']);
      assert.match(message, /base64.*\/v1\/images\/edits/);
      assert.ok(message.length < 300);
    }
  }
  const passing = ['no data: at all, none', 'metadata:a/b,c', base64.slice(0, 1_000), 'a text of words '.repeat(500)];
  for (const reference of passing) assert.deepEqual(generate({ prompt: 'x', reference }).request.extra, { reference });
});

test('a form says in texts what JSON says in types', () => {
  const form = new Map([
    ['prompt', '5'],
    ['n', '2'],
    ['stream', 'true'],
    ['output_compression', '0'],
    ['onetake[payment]', 'strict'],
    ['onetake', '{"timeout_ms": 5}'],
  ]);
  const wire = readImageWire('edit', readFormFields(form));
  assert.deepEqual(wire.request, { operation: 'edit', prompt: '5', n: 2, outputCompression: 0, stream: true });
  assert.deepEqual(wire.controlsBody, { payment: 'strict', timeout_ms: 5 });
  assert.throws(
    () =>
      readImageWire(
        'edit',
        readFormFields(
          new Map([
            ['prompt', 'x'],
            ['n', '2.0'],
          ]),
        ),
      ),
    { param: 'n' },
  );
  assert.throws(() => readFormFields(new Map([['onetake', 'strict']])), { param: 'onetake' });
});

test('defaults said aloud make the same fingerprint, everything else another', () => {
  const same = printOf({ prompt: 'x' });
  assert.match(same, /^[0-9a-f]{64}$/);
  assert.equal(printOf({ prompt: 'x', n: 1, stream: false, response_format: 'b64_json', model: '', size: null }), same);
  assert.equal(printOf({ prompt: 'x', onetake: { payment: 'strict' } }), same);
  const others = [{ n: 2 }, { stream: true }, { response_format: 'url' }, { model: 'm' }, { seed: 0 }, { user: 'u' }];
  const prints = others.map((other) => printOf({ prompt: 'x', ...other }));
  assert.equal(new Set([same, ...prints]).size, others.length + 1);
  const { canonical } = generate({ prompt: 'x' });
  assert.notEqual(fingerprint(canonical, ['image a', 'image b']), fingerprint(canonical, ['image b', 'image a']));
  assert.notEqual(fingerprint(readImageWire('edit', { prompt: 'x' }).canonical, []), same);
});

test('the order of keys makes no difference, however deep', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (extra) => {
      const forward = { ...extra };
      const backward = Object.fromEntries(Object.entries(extra).toReversed());
      assert.equal(fingerprint({ extra: forward as never }, []), fingerprint({ extra: backward as never }, []));
    }),
    { numRuns: 200 },
  );
  assert.equal(
    fingerprint({ a: { b: 1, c: [{ d: 1, e: 2 }] } }, []),
    fingerprint({ a: { c: [{ e: 2, d: 1 }], b: 1 } }, []),
  );
});

test('shape and what to leave out are part of what makes two requests the same, in forms too', () => {
  const plain = { prompt: 'a fox' };
  const prints = [
    plain,
    { ...plain, aspect_ratio: '16:9' },
    { ...plain, resolution: '2K' },
    { ...plain, negative_prompt: 'hats' },
  ].map(printOf);
  assert.equal(new Set(prints).size, 4);
  const form = readFormFields(
    new Map([
      ['prompt', 'a fox'],
      ['aspect_ratio', '16:9'],
      ['negative_prompt', 'hats'],
    ]),
  );
  assert.deepEqual([generate(form).request.aspectRatio, generate(form).request.negativePrompt], ['16:9', 'hats']);
});
