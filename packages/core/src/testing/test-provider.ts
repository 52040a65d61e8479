import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { completeFailure, failureOf } from '../classify.ts';
import { FAILURES, type Failure } from '../failure.ts';
import { embeddedPicture, type HttpRequest, type HttpResponse, type SseEvent } from '../http.ts';
import { isObject, type JsonValue } from '../json.ts';
import type { CallContext, CancelReading, Handle, ImageCalls, Progress, Provider } from '../providers/provider.ts';
import type { ImageRequest } from '../request.ts';
import { SAMPLE_ASSET } from './samples.ts';

/** One recorded answer and what it means; `expected` is compared field by field, so it names what matters only. */
export interface RecordedAnswer {
  readonly name: string;
  /** What was asked: a submit unless said otherwise. */
  readonly call?: 'submit' | 'poll' | 'cancel';
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  /** What a submit asked for, where it is not one picture for a prompt. */
  readonly request?: ImageRequest;
  /** What an earlier step of the submit left. */
  readonly state?: JsonValue;
  /** Of a poll: the handle, where it is not the fixtures' own. */
  readonly handle?: Handle;
  /** The body where it is not JSON. */
  readonly text?: string;
  /** The progress of a good answer, or the failure of a bad one; of a cancel, how it is read. */
  readonly expected: {
    readonly progress?: JsonValue;
    readonly failure?: Partial<Failure>;
    readonly cancel?: Partial<CancelReading>;
  };
}

/** One recorded stream event and its reading; null for one that says nothing. */
export interface RecordedEvent {
  readonly name: string;
  readonly event?: string;
  readonly data: JsonValue;
  readonly expected: JsonValue;
}

export interface ProviderFixtures {
  /** A model of the provider; every request is built for it. */
  readonly model: string;
  readonly answers: readonly RecordedAnswer[];
  readonly events?: readonly RecordedEvent[];
  /** A job's handle, where the provider has jobs. */
  readonly handle?: Handle;
}

/** The base URL every request must stay under unless `testProvider` is told that the adapter has its own. */
const BASE_URL = 'https://provider.example/some/path/v1';
const SECRET = 'sk-test-0123456789abcdef';
const NOW = Date.UTC(2026, 10, 21, 12);

/** The contract every adapter passes: pure, total, secret only in headers and only after `authorize`. */
export function testProvider(provider: Provider, fixtures: ProviderFixtures, baseUrl = BASE_URL): void {
  const { image } = provider;
  assert.ok(image, `${provider.id} makes no images`);
  const context: CallContext = { runId: 'run', attempt: 1, model: fixtures.model, baseUrl: BASE_URL };
  suite(`provider ${provider.id}`, () => {
    testRequests(provider, image, context, baseUrl);
    testModels(provider, fixtures);
    if (image.poll) testJobs(provider, image, fixtures.handle, context, baseUrl);
    testTotality(provider, image, context, fixtures.handle);
    for (const answer of fixtures.answers) {
      test(`${answer.call ?? 'answer'}: ${answer.name}`, () =>
        checkAnswer(provider, image, answer, context, fixtures.handle));
    }
    for (const event of fixtures.events ?? []) test(`event: ${event.name}`, () => checkEvent(image, event));
  });
}

const generated: ImageRequest = { operation: 'generate', prompt: 'a lighthouse, "quoted" & ümlaut', n: 1 };
const everything: ImageRequest = {
  ...{ ...generated, n: 2, size: '1024x1024', quality: 'high', outputFormat: 'webp', outputCompression: 80 },
  ...{ background: 'opaque', moderation: 'low', seed: 7, stream: true, partialImages: 2, extra: { unknown: [1] } },
};
const edited: ImageRequest = {
  ...{ ...generated, operation: 'edit', images: [SAMPLE_ASSET, { ...SAMPLE_ASSET, type: 'jpeg' }] },
  mask: { ...SAMPLE_ASSET, alpha: true },
};

function testRequests(provider: Provider, image: ImageCalls, context: CallContext, baseUrl: string): void {
  for (const [name, wanted] of Object.entries({ generated, everything, edited })) {
    test(`request: ${name} stays under the base URL and holds the secret only in headers, after authorize`, () => {
      const built = image.submit.build(wanted, context);
      checkShape(built, baseUrl);
      // An upload comes before the request that it is for.
      assert.ok(built.free || JSON.stringify(built).includes('lighthouse'), 'the prompt is not in the request');
      const authorized = provider.authorize(built, { id: 'credential', secret: SECRET });
      checkShape(authorized, baseUrl);
      assert.ok(!JSON.stringify({ ...authorized, headers: {} }).includes(SECRET), 'the secret is outside the headers');
      assert.deepEqual(image.submit.build(wanted, context), built, 'the same input builds another request');
    });
  }
}

function testJobs(
  provider: Provider,
  image: ImageCalls,
  handle: Handle | undefined,
  context: CallContext,
  baseUrl: string,
): void {
  for (const name of ['poll', 'cancel'] as const) {
    const call = image[name];
    if (call === undefined) continue;
    test(`request: a ${name} stays under the base URL and holds the secret only in headers, after authorize`, () => {
      assert.ok(handle, 'the fixtures name no handle');
      const built = call.build(handle, context);
      checkShape(built, baseUrl);
      const authorized = provider.authorize(built, { id: 'credential', secret: SECRET });
      assert.ok(!JSON.stringify({ ...authorized, headers: {} }).includes(SECRET), 'the secret is outside the headers');
      assert.deepEqual(call.build(JSON.parse(JSON.stringify(handle)), context), built, 'a handle read back is another');
    });
  }
}

function checkShape(request: HttpRequest, baseUrl: string): void {
  const url = new URL(request.url);
  assert.ok(request.url.startsWith(`${baseUrl}/`), `${request.url} is not under ${baseUrl}`);
  assert.equal(url.username + url.password, '');
  for (const [header, value] of Object.entries(request.headers)) {
    assert.equal(header, header.toLowerCase());
    assert.match(value, /^[\t\x20-\x7e]*$/);
  }
  assert.deepEqual(JSON.parse(JSON.stringify(request)), request, 'the request is not plain JSON');
  if (request.body?.kind === 'json') checkPictures(request.body.value);
}

/** What `embedded` made is sent as a picture, and a copy of it as it is written. */
function checkPictures(value: JsonValue | undefined): void {
  if (isObject(value) && '$asset' in value) assert.ok(embeddedPicture(value), 'a picture in the body is a copy');
  else if (typeof value === 'object') for (const one of Object.values(value ?? {})) checkPictures(one);
}

function testModels(provider: Provider, fixtures: ProviderFixtures): void {
  test('every listed model is found under its id, once, with sensible bounds', () => {
    assert.ok(provider.model(fixtures.model), `${fixtures.model} is no model of ${provider.id}`);
    const ids = provider.models.map((model) => model.id);
    assert.equal(new Set(ids).size, ids.length);
    for (const model of provider.models) {
      assert.deepEqual(provider.model(model.id), model);
      assert.ok(model.maxImagesPerCall >= 1 && model.operations.length > 0);
    }
  });
}

/** Words that adapters look up, and words that a careless look-up finds on every object. */
const words = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'server_error', 'error', 'image_generation.completed'),
);
const keys = fc.constantFrom('error', 'data', 'message', 'code', 'type', 'detail', 'b64_json', 'url', 'usage', '$blob');

const anyJson = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(words, fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(keys, words), tie('value'), { maxKeys: 5 }),
  ),
})).value;

const statuses = ['queued', 'running', 'succeeded', 'failed', 'moderated', 'canceled'];
const anyJob = fc.record({ id: words, status: fc.constantFrom(...statuses), error: anyJson, output: anyJson });

const anyResponse: fc.Arbitrary<HttpResponse> = fc.record({
  status: fc.integer({ min: 100, max: 599 }),
  headers: fc.dictionary(fc.constantFrom('retry-after', 'content-type', 'x-request-id', 'date'), fc.string()),
  body: fc.option(fc.oneof({ arbitrary: anyJson, weight: 3 }, anyJob), { nil: undefined }),
  text: fc.string(),
});

function testTotality(provider: Provider, image: ImageCalls, context: CallContext, handle: Handle = {}): void {
  test('classify and parse read any status and any JSON without throwing', () => {
    fc.assert(
      fc.property(anyResponse, (response) => {
        const failure = failureOf(provider, response, NOW);
        if (failure) checkFailure(failure);
        checkProgress(image.submit.parse(response, generated, context));
        if (image.poll) checkProgress(image.poll.parse(response, handle, context));
        const verdict = image.poll?.verdict?.(response, handle);
        if (verdict) checkFailure(completeFailure(verdict, response, NOW));
        if (image.cancel) checkCancel(image.cancel.parse(response, handle));
        if (failure === undefined) assert.ok(response.status >= 200 && response.status < 300, 'an error went unseen');
      }),
    );
  });
  const { stream } = image;
  if (stream === undefined) return;
  test('any stream event is read without throwing', () => {
    fc.assert(
      fc.property(fc.option(words, { nil: undefined }), fc.option(anyJson, { nil: undefined }), (event, data) => {
        const reading = stream({ event, data } satisfies SseEvent);
        assert.ok(reading === undefined || ['partial', 'completed', 'failed'].includes(reading.kind));
      }),
    );
  });
}

function checkProgress(progress: Progress): void {
  assert.ok(['done', 'next', 'waiting', 'failed'].includes(progress.kind));
  if (progress.kind !== 'waiting') return;
  const { handle, progress: share = 0, pollAfterMs = 0 } = progress;
  assert.deepEqual(JSON.parse(JSON.stringify(handle)), handle, 'the handle is not plain JSON');
  assert.ok(share >= 0 && share <= 100, `${share} is no percentage`);
  assert.ok(pollAfterMs >= 0, `${pollAfterMs} is no wait`);
}

function checkCancel({ confirmed, certainty }: CancelReading): void {
  assert.equal(typeof confirmed, 'boolean');
  assert.ok(confirmed || certainty === 'ambiguous', 'what was not given up may be billed');
}

function checkFailure(failure: Failure): void {
  assert.ok(Object.hasOwn(FAILURES, failure.kind), `no such kind: ${String(failure.kind)}`);
  assert.ok(['not_sent', 'rejected', 'failed', 'ambiguous', 'completed'].includes(failure.certainty));
  assert.notEqual(failure.certainty, 'not_sent', 'an answer came, so it was sent');
  assert.deepEqual(JSON.parse(JSON.stringify(failure)), failure, 'the failure is not plain JSON');
}

function checkAnswer(
  provider: Provider,
  image: ImageCalls,
  recorded: RecordedAnswer,
  context: CallContext,
  fixed: Handle = {},
): void {
  const handle = recorded.handle ?? fixed;
  const { status, headers = {}, body, text = '', expected } = recorded;
  const response: HttpResponse = { status, headers, body, text };
  if (recorded.call === 'cancel') {
    assertHolds(image.cancel?.parse(response, handle), expected.cancel);
    return;
  }
  const verdict = recorded.call === 'poll' ? image.poll?.verdict?.(response, handle) : undefined;
  const failure = verdict ? completeFailure(verdict, response, NOW) : failureOf(provider, response, NOW);
  if (expected.failure) {
    assertHolds(failure, expected.failure);
  } else {
    assert.equal(failure, undefined);
    const progress =
      recorded.call === 'poll'
        ? image.poll?.parse(response, handle, context)
        : image.submit.parse(response, recorded.request ?? generated, context, recorded.state);
    assertHolds(progress, expected.progress ?? {});
  }
}

function checkEvent(image: ImageCalls, { event, data, expected }: RecordedEvent): void {
  const reading = image.stream?.({ event, data });
  if (expected === null) assert.equal(reading, undefined);
  else assertHolds(reading, expected);
}

/** Everything `expected` names is there, with the same value. */
function assertHolds(actual: unknown, expected: unknown): void {
  assert.partialDeepStrictEqual(JSON.parse(JSON.stringify(actual ?? null)), expected);
}

/** A fixture file as imported JSON; throws where it names no model or holds no answers. */
export function providerFixtures(file: unknown): ProviderFixtures {
  assert.ok(isFixtures(file), 'a fixture file needs a model and answers');
  return file;
}

function isFixtures(file: unknown): file is ProviderFixtures {
  return isObject(file) && typeof file.model === 'string' && Array.isArray(file.answers) && file.answers.length > 0;
}
