import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CHAT_ENDPOINTS, type ChatEndpoint } from '../chat/endpoints.ts';
import { failureOf } from '../classify.ts';
import { FAILURES, type Failure } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import { isObject, type JsonValue } from '../json.ts';
import type { Provider } from '../providers/provider.ts';

/** One recorded answer of chat that is an error, or is none; `failure` is compared field by field. */
export interface RecordedChatAnswer {
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  readonly text?: string;
  readonly expected: { readonly failure?: Partial<Failure> };
}

export interface ChatFixtures {
  readonly model: string;
  readonly answers: readonly RecordedChatAnswer[];
}

const SECRET = 'sk-test-0123456789abcdef';
const NOW = Date.UTC(2026, 10, 21, 12);

/**
 * The contract of every adapter that chats: `urls` holds where each endpoint it has is, below `baseUrl`; the secret
 * goes in headers alone, on its own host; any answer is read without throwing, and an error is never taken for none.
 */
export function testChat(
  provider: Provider,
  fixtures: ChatFixtures,
  baseUrl: string,
  urls: Partial<Record<ChatEndpoint, string>>,
): void {
  const { chat } = provider;
  assert.ok(chat, `${provider.id} does not chat`);
  const { model } = fixtures;
  suite(`chat of ${provider.id}`, () => {
    for (const endpoint of CHAT_ENDPOINTS) {
      test(`${endpoint} is where its documentation says, or nowhere`, () => {
        assert.equal(chat.url(endpoint, { baseUrl, model }), urls[endpoint]);
      });
    }
    test('the secret goes along in headers alone, and without one nothing does', () => {
      const request = { method: 'POST', url: `${baseUrl}/x`, headers: {} } as const;
      const authorize = chat.authorize ?? provider.authorize;
      const authorized = authorize(request, { id: 'credential', secret: SECRET });
      assert.ok(JSON.stringify(authorized.headers).includes(SECRET));
      assert.ok(!JSON.stringify({ ...authorized, headers: {} }).includes(SECRET));
      if (provider.access?.keyless) assert.deepEqual(authorize(request, { id: 'credential', secret: '' }), request);
    });
    test('its models are listed once, and each has an endpoint', () => {
      assert.equal(new Set(chat.models.map(({ id }) => id)).size, chat.models.length);
      for (const { id, endpoints } of chat.models) {
        assert.ok(
          endpoints.some((endpoint) => chat.url(endpoint, { baseUrl, model: id }) !== undefined),
          id,
        );
        assert.ok(!provider.models.some((one) => one.id === id), `${id} makes pictures`);
      }
    });
    testReading(provider, fixtures);
  });
}

const anyResponse: fc.Arbitrary<HttpResponse> = fc.record({
  status: fc.integer({ min: 100, max: 599 }),
  headers: fc.dictionary(fc.constantFrom('retry-after', 'content-type'), fc.string()),
  body: fc.option(fc.jsonValue() as fc.Arbitrary<JsonValue>, { nil: undefined }),
  text: fc.string(),
});

function testReading(provider: Provider, { answers }: ChatFixtures): void {
  test('any answer is read without throwing, and no error goes unseen', () => {
    fc.assert(
      fc.property(anyResponse, (response) => {
        const failure = failureOf(provider, response, NOW);
        if (failure) assert.ok(Object.hasOwn(FAILURES, failure.kind) && failure.certainty !== 'not_sent');
        else assert.ok(response.status >= 200 && response.status < 300);
        for (const { id } of provider.catalog?.parse(response) ?? []) assert.equal(typeof id, 'string');
      }),
    );
  });
  for (const { name, status, headers = {}, body, text = '', expected } of answers) {
    test(`answer: ${name}`, () => {
      const failure = failureOf(provider, { status, headers, body, text }, NOW);
      if (expected.failure === undefined) assert.equal(failure, undefined);
      else assert.partialDeepStrictEqual(JSON.parse(JSON.stringify(failure ?? null)), expected.failure);
    });
  }
}

/** A fixture file as imported JSON; throws where it names no model or holds no answers. */
export function chatFixtures(file: unknown): ChatFixtures {
  assert.ok(isChatFixtures(file), 'a fixture file needs a model and answers');
  return file;
}

function isChatFixtures(file: unknown): file is ChatFixtures {
  return isObject(file) && typeof file.model === 'string' && Array.isArray(file.answers) && file.answers.length > 0;
}
