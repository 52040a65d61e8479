import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded, embeddedPicture, type HttpResponse } from './http.ts';
import { adviceFor, httpAnswer } from './http-answer.ts';
import type { Asset } from './images/asset.ts';
import { createIntake } from './images/intake.ts';
import { createMemoryAssets } from './images/memory-assets.ts';
import { isObject, stringAt } from './json.ts';
import { parseImages } from './providers/openai.ts';
import type { ImageCalls, Progress } from './providers/provider.ts';
import { drawPng } from './testing/draw-png.ts';
import { SAMPLE_TIMEOUT, samplePlan, sampleRequest } from './testing/samples.ts';
import { bodyOf, failed, ok, post, refused, runScripted } from './testing/scripted-calls.ts';
import type { Behaviour } from './testing/scripted-io.ts';
import { GOOD_BODY } from './testing/simulated-world.ts';
import { TINY_PNG_BASE64 } from './testing/tiny-png.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"></svg>';
const GOOD = ok(GOOD_BODY);

/** Two uploads, each free, and then the generation, which names both. */
const UPLOADING: ImageCalls['submit'] = {
  build: (_input, { baseUrl }) => post(baseUrl, 'upload', { part: 1 }, true),
  parse(response, _input, { baseUrl }, state): Progress {
    const uploads = [...(Array.isArray(state) ? state : []), stringAt(response.body, 'upload') ?? ''];
    if (Array.isArray(state) && state.length === 2) return parseImages(response);
    const request =
      uploads.length === 2
        ? post(baseUrl, 'images', { uploads })
        : post(baseUrl, 'upload', { part: uploads.length + 1 }, true);
    return { kind: 'next', request, state: uploads };
  },
};

test('uploads go before the generation, each step with what the one before it left', async () => {
  const { outcome, requests } = await runScripted({
    submits: [ok({ upload: 'u1' }), ok({ upload: 'u2' }), GOOD],
    calls: { submit: UPLOADING },
  });
  assert.ok(outcome.ok);
  assert.deepEqual(requests.map(bodyOf), [{ part: 1 }, { part: 2 }, { uploads: ['u1', 'u2'] }]);
});

test('an upload that fails, or is lost, cost nothing: the whole submit is made again, even in strict payment', async () => {
  const failures: readonly Behaviour[] = [refused(500), { kind: 'reset', afterMs: 5 }, refused(502)];
  for (const failure of failures) {
    const plan = { policy: { ...samplePlan().policy, payment: 'strict' as const, maxPaidAttempts: 1 } };
    const { outcome, durable } = await runScripted({
      ...{ submits: [ok({ upload: 'u1' }), failure, ok({ upload: 'u3' }), ok({ upload: 'u4' }), GOOD] },
      ...{ calls: { submit: UPLOADING }, plan },
    });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    const ends = durable.filter((event) => event.type === 'attempt-ended');
    assert.equal(ends[0]?.outcome.ok === false && ends[0].outcome.failure.certainty, 'rejected');
    assert.equal(ends.length, 2);
  }
});

test('a generation that is lost after its uploads may have been billed', async () => {
  const submits = [ok({ upload: 'u1' }), ok({ upload: 'u2' }), { kind: 'reset', afterMs: 5 } as const];
  const { outcome } = await runScripted({ submits, calls: { submit: UPLOADING } });
  assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['network', 'ambiguous']);
});

test('a submit that never comes to its end is ended', async () => {
  const endless: ImageCalls['submit'] = {
    ...UPLOADING,
    parse: (_response, _input, { baseUrl }) => ({ kind: 'next', request: post(baseUrl, 'x', {}, true), state: null }),
  };
  const { outcome, requests } = await runScripted({ submits: [ok({})], calls: { submit: endless } });
  assert.match(failed(outcome).message, /more than 24 requests/);
  assert.equal(requests.length, 24);
});

const plain = (parse: (response: HttpResponse) => Progress): ImageCalls['submit'] => ({
  build: ({ prompt }, { baseUrl }) => post(baseUrl, 'images', { prompt }),
  parse,
});
const wanted = (n: number) => ({ request: sampleRequest({ n }) });
const base64 = { source: { kind: 'base64', base64: TINY_PNG_BASE64 } } as const;

test('an answer that is the picture itself is found like any other', async () => {
  const submit = plain(({ body }) => {
    const blob = isObject(body) && typeof body.$blob === 'number' ? body.$blob : -1;
    return { kind: 'done', images: [{ source: { kind: 'blob', blob }, seed: 7 }] };
  });
  const { outcome } = await runScripted({
    submits: [ok(SVG, 10, { 'content-type': 'image/svg+xml' })],
    calls: { submit },
  });
  assert.ok(outcome.ok);
  assert.deepEqual([outcome.images[0]?.asset.type, outcome.images[0]?.seed], ['svg', 7]);
  const cut = await runScripted({
    submits: [ok(SVG.slice(0, 20), 10, { 'content-type': 'image/png' })],
    calls: { submit },
  });
  assert.deepEqual([failed(cut.outcome).kind, failed(cut.outcome).certainty], ['corrupt', 'completed']);
});

test('what the provider says is missing is told with its reason, and the rest is handed over', async () => {
  const submit = plain(() => ({
    ...{ kind: 'done', images: [base64, { source: { kind: 'base64', base64: 'AAAA' } }, base64] },
    missing: [{ kind: 'policy', message: 'one was not allowed' }],
  }));
  const { outcome } = await runScripted({ submits: [ok({})], calls: { submit }, plan: wanted(5) });
  assert.ok(outcome.ok);
  assert.deepEqual(
    outcome.missing?.map(({ kind, certainty }) => [kind, certainty]),
    [
      ['corrupt', 'completed'],
      ['policy', 'rejected'],
      ['empty', 'completed'],
    ],
  );
  assert.deepEqual(
    outcome.images.map(({ place }) => place),
    [undefined, 3],
  );
});

test('when none came, the reason about money speaks', async () => {
  const submit = plain(() => ({
    ...{ kind: 'done', images: [{ source: { kind: 'base64', base64: 'AAAA' } }] },
    missing: [{ kind: 'policy', message: 'one was not allowed' }],
  }));
  const { outcome } = await runScripted({ submits: [ok({})], calls: { submit }, plan: wanted(2) });
  assert.deepEqual([failed(outcome).kind, outcome.missing?.length], ['corrupt', 2]);
  const refusedOnly = plain(() => ({
    kind: 'done',
    images: [],
    missing: [{ kind: 'policy', message: 'not allowed' }],
  }));
  const free = await runScripted({ submits: [ok({})], calls: { submit: refusedOnly } });
  assert.deepEqual([failed(free.outcome).kind, failed(free.outcome).certainty], ['policy', 'rejected']);
});

test('a grid is one file and as many pictures as it shows', async () => {
  const submit = plain(() => ({ kind: 'done', images: [{ ...base64, pictures: 4 }] }));
  const { outcome } = await runScripted({ submits: [ok({})], calls: { submit }, plan: wanted(4) });
  assert.ok(outcome.ok);
  assert.deepEqual([outcome.images[0]?.pictures, outcome.missing], [4, undefined]);
});

test('links are fetched a few at a time, in their order, and one that is lost loses no other', async () => {
  const links = Array.from({ length: 6 }, (_, index) => ({
    source: { kind: 'url', url: `http://a/${index}.svg` } as const,
  }));
  const submit = plain(() => ({ kind: 'done', images: links }));
  const picture = (side: number): Behaviour => ok(SVG.replace('"4"', `"${side}"`), 1_000);
  // In the order of the calls: four leave together, and the third of them is tried twice more.
  const lost = refused(404);
  const polls = [picture(1), picture(2), lost, picture(4), lost, lost, picture(5), picture(6)];
  const { outcome, requests, at } = await runScripted({ submits: [ok({})], polls, calls: { submit }, plan: wanted(6) });
  assert.ok(outcome.ok);
  assert.deepEqual(
    outcome.images.map(({ asset }) => asset.width),
    [1, 2, 4, 5, 6],
  );
  assert.match(outcome.missing?.[0]?.message ?? '', /status 404/);
  assert.ok(at < 3_000, String(at));
  assert.equal(requests.length, 9);
});

test('a deadline that passes while the picture is being fetched does not lose it', async () => {
  const submit = plain(() => ({ kind: 'done', images: [{ source: { kind: 'url', url: 'http://a/1.svg' } }] }));
  const timeout = { ...SAMPLE_TIMEOUT, totalMs: 1_000 };
  const plan = { policy: { ...samplePlan().policy, timeout }, deadlineAt: 1_000 };
  const { outcome, at } = await runScripted({
    submits: [ok({}, 900)],
    polls: [ok(SVG, 40_000)],
    calls: { submit },
    plan,
  });
  assert.ok(outcome.ok, JSON.stringify(outcome));
  assert.ok(at > 40_000);
});

test('a cancel while the picture is being fetched says that it is billed', async () => {
  const submit = plain(() => ({ kind: 'done', images: [{ source: { kind: 'url', url: 'http://a/1.svg' } }] }));
  const cancel = new AbortController();
  const polls: readonly Behaviour[] = [{ kind: 'hang' }];
  const setting = { submits: [ok({})], polls, calls: { submit }, environment: { cancel: cancel.signal } };
  const parse = submit.parse;
  const canceling = {
    ...submit,
    parse: (...args: Parameters<typeof parse>) => {
      cancel.abort();
      return parse(...args);
    },
  };
  const { outcome } = await runScripted({ ...setting, calls: { submit: canceling } });
  assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['canceled', 'completed']);
  assert.equal(httpAnswer(failed(outcome)).status, 424, 'a repeat would be paid again');
  assert.match(adviceFor(failed(outcome)), /bills it/);
});

/** One pixel, transparent, in RGBA. */
function maskPng(interlace: number): Buffer {
  return drawPng({ width: 1, height: 1, depth: 8, colour: 6, samples: [[0, 0, 0, 0]], filters: [0], interlace });
}

async function masked(interlace: number, mark: 'white' | 'alpha', full = false) {
  const memory = createMemoryAssets();
  let created = 0;
  // The first is the caller's own.
  const create = () => (full && created++ > 0 ? assert.fail('the disk is full') : memory.create());
  const assets = { ...memory, create };
  const intake = createIntake(assets);
  const settled = await intake.take(maskPng(interlace).toString('base64'));
  assert.ok(settled.ok);
  const mask: Asset = settled.asset;
  const [target] = samplePlan().targets;
  assert.ok(target);
  const seen: (Asset | undefined)[] = [];
  const submit: ImageCalls['submit'] = {
    build(input, { baseUrl }) {
      seen.push(input.mask);
      return post(baseUrl, 'images', { prompt: input.prompt });
    },
    parse: parseImages,
  };
  const request = sampleRequest({ operation: 'edit', images: [mask], mask });
  const plan = { request, targets: [{ ...target, maskPolarity: mark }] };
  const done = await runScripted({
    submits: [GOOD],
    calls: { submit },
    plan,
    environment: { assets },
    compresses: true,
  });
  return { ...done, mask, seen };
}

test('a target that reads masks in white is given one, which the journal names', async () => {
  const { outcome, seen, mask, durable } = await masked(0, 'white');
  assert.ok(outcome.ok);
  const converted = durable.find((event) => event.type === 'mask-converted');
  assert.ok(converted);
  assert.deepEqual(seen, [converted.asset]);
  assert.notEqual(converted.asset.hash, mask.hash);
  assert.deepEqual([converted.mark, converted.asset.alpha], ['white', false]);
});

test('a target that reads transparency is given the mask as it is', async () => {
  const { seen, mask, durable } = await masked(1, 'alpha');
  assert.deepEqual(seen, [mask]);
  assert.ok(durable.every(({ type }) => type !== 'mask-converted'));
});

test('a mask that cannot be told is refused before anything is sent', async () => {
  const { outcome, requests } = await masked(1, 'white');
  const { kind, certainty, param } = failed(outcome);
  assert.deepEqual([kind, certainty, param, requests.length], ['image_format', 'not_sent', 'mask', 0]);
});

test('a mask that cannot be stored is a fault of ours, before anything is sent', async () => {
  const { outcome, requests } = await masked(0, 'white', true);
  const { kind, certainty, message } = failed(outcome);
  assert.deepEqual([kind, certainty, requests.length], ['storage', 'not_sent', 0]);
  assert.match(message, /^mask: .*the disk is full/);
  assert.equal(httpAnswer(failed(outcome)).status, 500);
});

test('a picture inside a JSON body stays a picture all the way to the wire', async () => {
  const asset: Asset = {
    hash: 'a'.repeat(64),
    bytes: 3,
    type: 'png',
    width: 1,
    height: 1,
    animated: false,
    alpha: true,
  };
  const submit: ImageCalls['submit'] = {
    build: (_input, { baseUrl }) => post(baseUrl, 'images', { image: embedded(asset, 'base64') }),
    parse: parseImages,
  };
  const { requests } = await runScripted({ submits: [GOOD], calls: { submit } });
  assert.deepEqual(embeddedPicture(bodyOf(requests[0]).image), { asset, as: 'base64' });
});
