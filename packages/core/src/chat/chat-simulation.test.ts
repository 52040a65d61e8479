/** Chat against targets that do anything: what must hold whatever happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldRun, paidAttempts } from '../journal.ts';
import {
  answered,
  chunkEvent,
  completion,
  DONE_EVENT,
  errorEvent,
  FINISH_EVENT,
  ROLE_EVENT,
  refusedWith,
  runScriptedChat,
  sampleChatPlan,
} from '../testing/chat-rig.ts';
import type { Behaviour } from '../testing/scripted-io.ts';

/** A behaviour, and all that its answer would be. */
interface Play {
  readonly behaviour: Behaviour;
  readonly text: string;
}

const ms = fc.constantFrom(0, 1, 20, 700, 30_000, 100_000);
const by = fc.constantFrom('end', 'reset', 'silence');
const cuts = fc.array(fc.nat(), { maxLength: 12 });

const noAnswer: fc.Arbitrary<Play> = fc
  .oneof(
    ms.map((afterMs): Behaviour => ({ kind: 'refuse', afterMs })),
    ms.map((afterMs): Behaviour => ({ kind: 'reset', afterMs })),
    fc.constantFrom<Behaviour>({ kind: 'hang' }, { kind: 'unreachable' }),
    fc.constantFrom(400, 401, 404, 429, 500, 502, 503, 302).map((status) => refusedWith(status, { message: 'no' })),
    fc.constantFrom('1', '30', '9999').map((after) => refusedWith(429, { message: 'no' }, { 'retry-after': after })),
    fc.constant(refusedWith(400, { message: 'no', code: 'content_filter' })),
    fc.constantFrom('', '{', '<html>', '[]', '{"hello":1}', '{"error":{"message":"no"}}').map((body) => answered(body)),
  )
  .map((behaviour) => ({ behaviour, text: '' }));

const whole: fc.Arbitrary<Play> = fc.nat().map((id) => {
  const text = JSON.stringify(completion(`answer ${id}`));
  return { behaviour: answered(text), text };
});

const event = fc.oneof(
  { weight: 6, arbitrary: fc.nat().map((id) => chunkEvent({ content: `word ${id}` })) },
  fc.constantFrom(ROLE_EVENT, ': ping\n\n', ': ping\r\n\r\n', FINISH_EVENT, DONE_EVENT, 'data: {"choices":[]}\n\n'),
  fc.constantFrom(429, 500, 529).map((code) => errorEvent({ message: 'no', code })),
);
const goodEnd = fc.constantFrom([FINISH_EVENT, DONE_EVENT], [DONE_EVENT], [FINISH_EVENT], []);

/** A stream of any events, cut into any pieces, that may stop at any byte. */
const stream: fc.Arbitrary<Play> = fc
  .tuple(fc.array(event, { maxLength: 6 }), goodEnd, cuts, ms, by, fc.option(fc.nat()))
  .map(([events, end, places, afterMs, ends, stop]) => {
    const text = [ROLE_EVENT, ...events, ...end].join('');
    const bytes = Buffer.from(stop === null ? text : text.slice(0, stop % (text.length + 1)));
    const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
    const pieces = at.slice(1).map((to, index) => ({ afterMs: 1, body: bytes.subarray(at[index], to) }));
    return { behaviour: { kind: 'stream', afterMs, pieces, by: ends }, text: bytes.toString() };
  });

const script = fc.array(fc.oneof(noAnswer, whole, stream), { minLength: 1, maxLength: 4 });
const scenario = fc.record({
  targets: fc.array(script, { minLength: 1, maxLength: 3 }),
  maxPaidAttempts: fc.integer({ min: 1, max: 5 }),
  fallback: fc.boolean(),
  totalMs: fc.constantFrom(5_000, 90_000, 86_400_000),
  cancelMs: fc.constantFrom(...Array.from({ length: 12 }, () => undefined), 0, 10, 40, 5_000),
  takesMs: fc.constantFrom(0, 0, 3, 70_000),
});

test('whatever its targets do, a run of chat ends, with one answer at most, of which nothing is half', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ targets, maxPaidAttempts, fallback, totalMs, cancelMs, takesMs }) => {
      const names = ['a', 'b', 'c'].slice(0, targets.length);
      const plan = sampleChatPlan(names, {}, { maxPaidAttempts, fallback });
      const { timeout } = plan.policy;
      const limited = { ...plan, policy: { ...plan.policy, timeout: { ...timeout, totalMs } }, deadlineAt: totalMs };
      const scripts = Object.fromEntries(names.map((name, index) => [name, behavioursOf(targets[index] ?? [])]));
      const done = await runScriptedChat({
        ...{ plan: limited, scripts, takesMs: (write) => (write % 3 === 1 ? takesMs : 0) },
        ...(cancelMs !== undefined && { cancelMs }),
      });
      checkAttempts(done, { maxPaidAttempts, targets: fallback ? targets.length : 1, deadlineAt: totalMs });
      checkAnswer(done, targets.flat());
    }),
    { numRuns: 1_500 },
  );
});

const behavioursOf = (plays: readonly Play[]): readonly Behaviour[] => plays.map(({ behaviour }) => behaviour);

type Done = Awaited<ReturnType<typeof runScriptedChat>>;

function checkAttempts(
  { io, durable, types, begins }: Done,
  allowed: { readonly maxPaidAttempts: number; readonly targets: number; readonly deadlineAt: number },
): void {
  assert.equal(types.filter((type) => type === 'finished').length, 1);
  assert.equal(types.at(-1), 'finished');
  const run = foldRun(durable);
  assert.ok(paidAttempts(run) <= allowed.maxPaidAttempts, `${paidAttempts(run)} attempts may be billed`);
  const most = 5 * allowed.targets + allowed.maxPaidAttempts;
  assert.ok(run.attempts.length <= most, `${run.attempts.length} attempts`);
  assert.ok(io.sent.length <= run.attempts.length);
  for (const { at } of io.sent) {
    assert.ok(at < allowed.deadlineAt, 'sent after the deadline');
    assert.ok(
      begins.every((begin) => at <= begin),
      'sent after the answer had begun',
    );
  }
}

function checkAnswer({ outcome, text, heads }: Done, plays: readonly Play[]): void {
  assert.equal(heads.length === 0, text === '');
  const isClosed = /(?:\n\n|\r\n\r\n?)$/.test(text) || text === '';
  // The blank line after the last event of a stream that broke off may be ours.
  const said = plays.map((play) => play.text).filter((one) => one.startsWith(text) || `${one}\n\n` === text);
  assert.ok(said.length > 0, `no answer begins with ${JSON.stringify(text)}`);
  const isWhole = said.includes(text);
  const isLastRead = /\ndata: (?:\{.*\}|\[DONE\])$/.test(text);
  assert.ok(isClosed || isWhole || (isLastRead && outcome.ok), `half an event: ${JSON.stringify(text)}`);
  // To a caller that left nothing is told.
  const isLeft = !outcome.ok && outcome.failure.kind === 'canceled' && isWhole;
  assert.ok(outcome.ok || outcome.told || isClosed || isLeft, `no event can follow ${JSON.stringify(text)}`);
  if (outcome.ok) {
    assert.notEqual(text, '');
    assert.ok(isWhole || text.includes('"finish_reason":"stop"') || text.includes('[DONE]'), `cut: ${text}`);
    assert.ok(!text.includes('"error"'), 'an error is taken for an answer');
  } else {
    assert.equal(outcome.told === true, /data: \{"error"[^\n]*\n{0,2}$/.test(text), 'told twice, or not at all');
  }
}
