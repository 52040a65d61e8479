import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cacheKey, shareKey, wantsCache } from './cache-key.ts';
import type { Asset } from './images/asset.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import type { ImageRequest } from './request.ts';
import { SAMPLE_ASSET, samplePlan, samplePolicy, sampleRequest, sampleTarget } from './testing/samples.ts';

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'];
const asset = (letter: string): Asset => ({ ...SAMPLE_ASSET, hash: letter.repeat(64) });
const assets = fc.constantFrom(...LETTERS).map(asset);
const absent = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const word = (...words: readonly string[]) => absent(fc.constantFrom(...words));
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;

/** Each field with values of which any two mean another picture. */
const FIELDS = {
  operation: fc.constantFrom('generate', 'edit', 'variation', 'upscale'),
  prompt: fc.string({ maxLength: 12, unit: 'binary' }),
  n: fc.integer({ min: 1, max: 10 }),
  size: word('1024x1024', '512x512', '1024X1024'),
  aspectRatio: word('1:1', '16:9'),
  resolution: word('1K', '2K'),
  quality: word('low', 'high'),
  outputFormat: word('png', 'jpeg', 'webp'),
  outputCompression: absent(fc.nat(100)),
  background: word('opaque', 'transparent'),
  moderation: word('low'),
  seed: absent(fc.integer()),
  negativePrompt: absent(fc.string({ maxLength: 8 })),
  images: absent(fc.array(assets, { minLength: 1, maxLength: 4 })),
  mask: absent(assets),
  source: absent(
    fc.record({
      target: fc.constantFrom('a/m', 'b/m'),
      handle: fc.constantFrom({ id: 1 }, { id: 2 }),
      index: fc.nat(4),
    }),
  ),
  extra: absent(fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), json, { minKeys: 1, maxKeys: 4 })),
} as const satisfies { [Field in keyof ImageRequest]?: fc.Arbitrary<unknown> };

const requests = fc.record(FIELDS).map((fields) => withoutAbsent(fields) as unknown as ImageRequest);
const CALLER = { caller: 'alice' };

function withoutAbsent(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function planWith(changes: Partial<Plan>): Plan {
  return { ...samplePlan(), ...changes };
}

/** One target that is sent the request as it is. */
function planOf(request: ImageRequest, target: Partial<PlannedTarget> = {}): Plan {
  return planWith({ request, targets: [sampleTarget('openai', target)] });
}

function keyOf(plan: Plan, scope: Parameters<typeof cacheKey>[2] = CALLER): string {
  const [target] = plan.targets;
  assert.ok(target);
  return cacheKey(plan, target, scope) ?? assert.fail('no key');
}

/** JSON without an order of names, and with -0 as JSON has it. */
function same(one: unknown, other: unknown): boolean {
  const plain = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
  try {
    assert.deepStrictEqual(plain(one), plain(other));
    return true;
  } catch {
    return false;
  }
}

test('requests that differ in one field never have the same key', () => {
  const pairs = requests.chain((request) =>
    fc
      .constantFrom(...(Object.keys(FIELDS) as (keyof typeof FIELDS)[]))
      .chain((field) => (FIELDS[field] as fc.Arbitrary<unknown>).map((value) => ({ request, field, value }))),
  );
  fc.assert(
    fc.property(pairs, ({ request, field, value }) => {
      if (same(request[field], value)) return;
      const other = withoutAbsent({ ...request, [field]: value }) as ImageRequest;
      assert.notEqual(keyOf(planOf(request)), keyOf(planOf(other)), field);
    }),
    { numRuns: 5_000 },
  );
});

test('any two requests have the same key only when they are the same', () => {
  fc.assert(
    fc.property(requests, requests, (one, other) => {
      assert.equal(keyOf(planOf(one)) === keyOf(planOf(other)), same(one, other));
    }),
    { numRuns: 2_000 },
  );
});

test('another caller, provider, model or version never finds it', () => {
  const name = fc.string({ minLength: 1, maxLength: 6 });
  const who = fc.record({ caller: name, provider: name, model: name, version: absent(name) });
  fc.assert(
    fc.property(requests, who, who, (request, one, other) => {
      const key = ({ caller, version, provider, model }: typeof one) =>
        keyOf(planOf(request, { provider, model }), { caller, ...(version !== undefined && { version }) });
      assert.equal(key(one) === key(other), same(one, other));
    }),
    { numRuns: 2_000 },
  );
});

test('the order of references matters', () => {
  const lists = fc.uniqueArray(fc.constantFrom(...LETTERS), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(requests, lists, fc.nat(), (request, letters, by) => {
      const at = 1 + (by % (letters.length - 1));
      const turned = [...letters.slice(at), ...letters.slice(0, at)];
      const key = (order: readonly string[]) => keyOf(planOf({ ...request, images: order.map(asset) }));
      assert.notEqual(key(letters), key(turned));
    }),
  );
});

test('how it is written, handed over, waited for and paid does not matter', () => {
  const handing = fc.record({ stream: absent(fc.boolean()), partialImages: absent(fc.nat(3)) });
  const around = fc.record({
    deadlineAt: fc.nat(),
    createdAt: fc.nat(),
    route: fc.string(),
    firstByteMs: fc.nat(),
    credential: fc.string(),
    streams: fc.boolean(),
    totalMs: fc.nat(),
  });
  fc.assert(
    fc.property(
      requests,
      handing,
      around,
      (request, handed, { firstByteMs, credential, streams, totalMs, ...plan }) => {
        const { timeout, ...policy } = samplePolicy();
        const reversed = Object.fromEntries(Object.entries({ ...request, ...handed }).toReversed());
        const other = {
          ...planOf(reversedDeep(reversed as JsonObject) as unknown as ImageRequest, {
            firstByteMs,
            credential,
            streams,
          }),
          ...plan,
          policy: { ...policy, timeout: { ...timeout, totalMs } },
        };
        assert.equal(keyOf(other), keyOf(planOf(request)));
      },
    ),
  );
});

/** The same JSON with the names of every object the other way round. */
function reversedDeep(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((one) => reversedDeep(one) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, reversedDeep(one)] as const);
  return Object.fromEntries(entries.toReversed());
}

test('what is empty is what is absent, and auto is silence', () => {
  const plain = keyOf(planOf(sampleRequest()));
  const said = { size: 'auto', quality: 'auto', background: 'auto', moderation: 'auto', images: [], extra: {} };
  assert.equal(keyOf(planOf(sampleRequest(said))), plain);
  assert.notEqual(keyOf(planOf(sampleRequest({ negativePrompt: 'auto' }))), plain);
});

test('what a target is sent counts, not what was asked', () => {
  const sent = sampleRequest({ size: '1024x1024' });
  const asked = ['1000x1000', '1010x1010'].map((size) => planOf(sampleRequest({ size }), { request: sent }));
  assert.equal(new Set(asked.map((plan) => keyOf(plan))).size, 1);
  assert.equal(keyOf(planOf(sent)), keyOf(asked[0] ?? planOf(sent)));
});

test('the same target has the same key on every route, and unknown fields count only where they are sent', () => {
  const [first, second] = [sampleTarget('a'), sampleTarget('b')];
  const request = sampleRequest({ extra: { steps: 4 } });
  const both = planWith({ request, targets: [first, second] });
  const alone = planWith({ request: sampleRequest(), targets: [second] });
  assert.equal(cacheKey(both, second, CALLER), cacheKey(alone, second, CALLER));
  assert.notEqual(
    cacheKey(both, first, CALLER),
    cacheKey(planWith({ ...both, request: sampleRequest() }), first, CALLER),
  );
  assert.equal(cacheKey(alone, first, CALLER), undefined);
});

test('into how many calls it is split counts, since seeds count up over them', () => {
  const plan = (n: number, ...perCall: readonly number[]) =>
    planWith({
      request: sampleRequest({ n, seed: 7 }),
      targets: perCall.map((maxImagesPerCall, index) => sampleTarget(`t${index}`, { maxImagesPerCall })),
    });
  assert.notEqual(keyOf(plan(4, 4)), keyOf(plan(4, 1)));
  assert.notEqual(keyOf(plan(4, 4)), keyOf(plan(4, 4, 2)));
  assert.equal(keyOf(plan(1, 4)), keyOf(plan(1, 1)));
});

test('a seed that was drawn here is none: whatever it is, the key is that of no seed', () => {
  const drawn = (seed: number) =>
    planOf(sampleRequest(), { request: sampleRequest({ seed }), seedDrawn: true, maxSeed: 9 });
  assert.equal(keyOf(drawn(1)), keyOf(drawn(2)));
  assert.equal(keyOf(drawn(1)), keyOf(planOf(sampleRequest())));
  assert.equal(wantsCache(drawn(1), {}), false);
});

test('how a mask is told counts where there is one', () => {
  const key = (request: Partial<ImageRequest>, maskPolarity: 'alpha' | 'white') =>
    keyOf(planOf(sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET], ...request }), { maskPolarity }));
  assert.notEqual(key({ mask: SAMPLE_ASSET }, 'white'), key({ mask: SAMPLE_ASSET }, 'alpha'));
  assert.equal(key({}, 'white'), key({}, 'alpha'));
});

test('one generation answers only those with the same targets in the same order and the same policy', () => {
  const [a, b] = [sampleTarget('a'), sampleTarget('b')];
  const plan = (targets: readonly PlannedTarget[], policy = samplePolicy()) => planWith({ targets, policy });
  const key = (one: Plan, caller = 'alice') => shareKey(one, caller);
  const all = [
    key(plan([a, b])),
    key(plan([b, a])),
    key(plan([a])),
    key(plan([a, b], samplePolicy({ fallback: false }))),
    key(plan([a, b], samplePolicy({ payment: 'strict' }))),
    key(plan([a, b]), 'bob'),
    shareKey(plan([a, b]), 'alice', () => 'v2'),
  ];
  assert.equal(new Set(all).size, all.length);
  assert.equal(key(plan([a, b])), key({ ...plan([a, b]), route: 'another', createdAt: 5, deadlineAt: 6 }));
  assert.equal(key(plan([])), undefined);
});

test('a seed turns caching on where the model takes it; who says something is obeyed, the request before the route', () => {
  const seeded = planOf(sampleRequest({ seed: 7 }), { maxSeed: 100 });
  const plain = planOf(sampleRequest(), { maxSeed: 100 });
  assert.equal(wantsCache(seeded, {}), true);
  assert.equal(wantsCache(plain, {}), false);
  assert.equal(wantsCache(planOf(sampleRequest({ seed: 7 })), {}), false, 'nobody knows what becomes of it there');
  const dropped = planOf(sampleRequest({ seed: 7 }), { maxSeed: 100, request: sampleRequest() });
  assert.equal(wantsCache(dropped, {}), false);
  assert.equal(wantsCache(seeded, { request: 'off' }), false);
  assert.equal(wantsCache(seeded, { request: 'off', route: 'on' }), false);
  assert.equal(wantsCache(seeded, { route: 'off' }), false);
  assert.equal(wantsCache(plain, { route: 'on' }), true);
  assert.equal(wantsCache(plain, { request: 'on', route: 'off' }), true);
  const again = { ...seeded, regeneratedFrom: 'gen_1' };
  assert.deepEqual([wantsCache(again, { route: 'on' }), wantsCache(again, { request: 'on' })], [false, true]);
});
