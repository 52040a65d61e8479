import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ChatPlan, Event, Failure, Outcome, Plan, TraceContext } from '@onetake/core';
import type { AnyPlan } from '../store/plan-kind.ts';
import { summaryOf } from '../tasks/journal.ts';
import { cachedPlan, PICTURE } from '../testing/cache-world.ts';
import type { SpanData } from './span.ts';
import { spansOf } from './spans.ts';
import { attemptSpanId, generationSpanId } from './trace-context.ts';

const PARENT: TraceContext = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
/** Stands wherever a caller or a provider may have put words. */
const WORDS = 'a red fox in a secret wood';
const FAILURE: Failure = { kind: 'server', certainty: 'failed', message: `could not draw "${WORDS}"` };
const DONE: Outcome = { ok: true, images: [{ asset: PICTURE, revisedPrompt: WORDS }] };

const FALLBACK: readonly Event[] = [
  { type: 'waiting', at: 1_005, target: 'sandbox/fast', until: 1_010, reason: WORDS },
  { type: 'attempt-started', at: 1_010, attempt: 1, target: 'sandbox/fast', credential: 'sandbox' },
  {
    ...{ type: 'attempt-ended', at: 1_110, attempt: 1, status: 500, requestId: 'up_1' },
    ...{ timing: { connectMs: 1, firstByteMs: 90, bodyMs: 2 }, outcome: { ok: false, failure: FAILURE } },
  },
  { type: 'target-skipped', at: 1_111, target: 'sandbox/other', reason: WORDS, kind: 'unavailable' },
  { type: 'attempt-started', at: 1_120, attempt: 2, target: 'sandbox/fast' },
  { type: 'attempt-ended', at: 1_220, attempt: 2, outcome: DONE, timing: { verifyMs: 7 } },
  { type: 'finished', at: 1_221, outcome: DONE },
];

function spans(
  journals: readonly (readonly Event[])[],
  change: Partial<Plan> = {},
  options: Partial<Parameters<typeof spansOf>[2]> = {},
): readonly SpanData[] {
  const plan: AnyPlan = { ...cachedPlan(WORDS), createdAt: 1_000, ...change };
  const live = { id: 'gen_1', caller: 'app', requestId: 'req_1', plan, journals };
  const summary = summaryOf({ plan }, journals);
  assert.ok(summary);
  const connection = () => ({ baseUrl: 'http://127.0.0.1:4000/v1' });
  return spansOf(live, summary, { prompts: false, connection, ...options });
}

suite('the spans of a generation', () => {
  test('are its own, in its caller’s trace, and each attempt below it', () => {
    const [whole, first, second, ...more] = spans([FALLBACK], { trace: PARENT });
    assert.ok(whole && first && second && more.length === 0);
    assert.deepEqual(
      [whole.traceId, whole.spanId, whole.parentSpanId, whole.hasRemoteParent],
      ['4bf92f3577b34da6a3ce929d0e0e4736', generationSpanId('gen_1'), '00f067aa0ba902b7', true],
    );
    assert.deepEqual([whole.startMs, whole.endMs, whole.kind, whole.error], [1_000, 1_221, 'server', undefined]);
    for (const [index, one] of [first, second].entries()) {
      assert.deepEqual(
        [one.traceId, one.spanId, one.parentSpanId, one.kind],
        [whole.traceId, attemptSpanId('gen_1', 0, index + 1), whole.spanId, 'client'],
      );
    }
    assert.deepEqual([first.startMs, first.endMs, second.startMs, second.endMs], [1_010, 1_110, 1_120, 1_220]);
  });

  test('say in the conventions’ words what was asked of whom', () => {
    const [whole, first] = spans([FALLBACK]);
    assert.deepEqual([whole?.name, first?.name], ['generate_content image-best', 'generate_content fast']);
    const { attributes = {} } = first ?? {};
    assert.deepEqual(
      [attributes['gen_ai.provider.name'], attributes['gen_ai.request.model'], attributes['gen_ai.output.type']],
      ['sandbox', 'fast', 'image'],
    );
    assert.deepEqual([attributes['server.address'], attributes['server.port']], ['127.0.0.1', 4000]);
  });

  test('a failed attempt says what it was, what it may have cost, and our code of it', () => {
    const [, first, second] = spans([FALLBACK]);
    const { attributes = {}, error } = first ?? {};
    assert.equal(error, 'generation_failed');
    const told = ['error.type', 'onetake.kind', 'onetake.certainty', 'onetake.billed', 'http.response.status_code'];
    assert.deepEqual(
      told.map((name) => attributes[name]),
      ['generation_failed', 'server', 'failed', 'maybe', 500],
    );
    assert.deepEqual([attributes['onetake.first_byte_ms'], second?.attributes['onetake.verify_ms']], [90, 7]);
    assert.equal(second?.error, undefined);
  });
});

suite('what spans hold', () => {
  test('hold no word of a caller or a provider, and no bytes', () => {
    assert.ok(!JSON.stringify(spans([FALLBACK], { trace: PARENT })).includes('fox'));
  });

  test('hold the prompt, cut, where somebody wants it', () => {
    const long = { ...cachedPlan(WORDS.repeat(1_000)), createdAt: 1_000 };
    const [whole, ...attempts] = spans([FALLBACK], long, { prompts: true });
    const said = String(whole?.attributes['gen_ai.input.messages']);
    assert.ok(said.includes(WORDS) && said.length < 4_200);
    assert.ok(!JSON.stringify(attempts).includes('fox'));
  });

  test('waits and skipped targets are events, without their reasons', () => {
    const [whole] = spans([FALLBACK]);
    assert.deepEqual(
      whole?.events.map(({ name, atMs }) => [name, atMs]),
      [
        ['waiting', 1_005],
        ['target-skipped', 1_111],
      ],
    );
  });

  test('are none where the caller’s trace is not kept', () => {
    const trace = { traceparent: PARENT.traceparent.replace(/01$/, '00') };
    assert.deepEqual(spans([FALLBACK], { trace }), []);
  });
});

suite('spans are made of a journal', () => {
  test('are the same whoever makes them, and however often', () => {
    assert.deepEqual(spans([FALLBACK]), spans([structuredClone(FALLBACK)]));
  });

  test('runs of one generation have attempts of their own', () => {
    const made = spans([FALLBACK, FALLBACK]);
    assert.equal(made.length, 5);
    assert.equal(new Set(made.map(({ spanId }) => spanId)).size, 5);
    assert.deepEqual(
      made.slice(1).map(({ attributes }) => attributes['onetake.run']),
      [0, 0, 1, 1],
    );
  });

  test('are bounded, whatever a journal holds', () => {
    const polled = Array.from({ length: 5_000 }, (_, index): Event => {
      return { type: 'polled', at: 1_011 + index, attempt: 1, pollAt: 2_000 + index, progress: 1 };
    });
    const started = Array.from({ length: 500 }, (_, index): Event => {
      return { type: 'attempt-started', at: 1_012, attempt: index + 3, target: 'sandbox/fast' };
    });
    const [head, second, ...tail] = FALLBACK;
    assert.ok(head && second);
    const made = spans([[head, second, ...polled, ...started, ...tail]]);
    assert.equal(made.length, 129);
    assert.deepEqual([made[1]?.events.length, made[1]?.droppedEvents], [64, 5_000 - 64]);
  });
});

suite('the spans of chat', () => {
  test('of chat tell the tokens, and that they were estimated', () => {
    const { request: _, ...rest } = cachedPlan(WORDS);
    const chat: ChatPlan['chat'] = { endpoint: 'responses', stream: true, excerpt: WORDS, inputTokens: 3 };
    const plan: ChatPlan = { ...rest, createdAt: 1_000, chat };
    const usage = { input_tokens: 3, output_tokens: 9, total_tokens: 12, estimated: true };
    const outcome: Outcome = { ok: true, images: [], usage };
    const journal: readonly Event[] = [
      { type: 'attempt-started', at: 1_010, attempt: 1, target: 'sandbox/fast' },
      { type: 'answer-begun', at: 1_020, attempt: 1, firstContentMs: 10 },
      { type: 'attempt-ended', at: 1_030, attempt: 1, outcome },
      { type: 'finished', at: 1_030, outcome },
    ];
    const summary = summaryOf({ plan }, [journal]);
    assert.ok(summary);
    const live = { id: 'gen_1', caller: 'app', requestId: 'req_1', plan, journals: [journal] };
    const [whole, only] = spansOf(live, summary, { prompts: false, connection: () => undefined });
    const { attributes = {} } = whole ?? {};
    assert.deepEqual(
      [whole?.name, attributes['gen_ai.usage.output_tokens'], attributes['onetake.usage.estimated']],
      ['chat image-best', 9, true],
    );
    assert.deepEqual([attributes['gen_ai.output.type'], attributes['onetake.pictures']], [undefined, undefined]);
    assert.deepEqual(only?.events, [
      { name: 'answer-begun', atMs: 1_020, attributes: { 'onetake.first_content_ms': 10 } },
    ]);
    assert.ok(!JSON.stringify([whole, only]).includes('fox'));
  });
});
