import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../journal.ts';
import type { Catalogue, PolicySettings } from '../model-names.ts';
import { openaiCompatible } from '../providers/openai.ts';
import { openaiChat } from '../providers/openai-chat.ts';
import {
  answered,
  chatFailed,
  refusedWith,
  runScriptedChat,
  sampleChatPlan,
  sampleChatRequest,
  streamed,
  wordEvents,
} from '../testing/chat-rig.ts';
import type { Behaviour } from '../testing/scripted-io.ts';
import { FREE_TURNS } from '../turns.ts';
import type { ChatPlan, ChatRequest } from './chat.ts';
import { planChat } from './plan-chat.ts';

const HANG: Behaviour = { kind: 'hang' };
const MINUTE_MS = 60_000;

/** What is planned where nothing is set. */
function planned(names: readonly string[], request: Partial<ChatRequest>, settings: PolicySettings = {}): ChatPlan {
  const provider = { ...openaiCompatible, chat: openaiChat() };
  const catalogue: Catalogue = {
    connections: names.map((id) => ({ id, provider, baseUrl: `http://${id}/v1`, secret: '' })),
    routes: { route: { targets: names.map((id) => `${id}/model`) } },
    defaultModel: undefined,
  };
  const found = planChat(sampleChatRequest(request), 'route', catalogue, settings, 0);
  assert.ok(found.ok);
  return found.plan;
}

interface Waited {
  readonly request?: Partial<ChatRequest>;
  readonly settings?: PolicySettings;
  readonly play?: Behaviour;
  readonly plan?: (plan: ChatPlan) => ChatPlan;
}

async function waited(names: readonly string[], { request = {}, settings, play = HANG, plan = (one) => one }: Waited) {
  const scripts = Object.fromEntries(names.map((name) => [name, [play]]));
  const done = await runScriptedChat({ plan: plan(planned(names, request, settings)), scripts });
  return { ...done, failure: chatFailed(done.outcome), sends: done.starts.length };
}

suite('how long nobody sits before an answer that does not come', () => {
  const HANGS: readonly (readonly [
    string,
    Partial<ChatRequest>,
    readonly (readonly [sends: number, minutes: number])[],
  ])[] = [
    [
      'a stream',
      {},
      [
        [2, 2],
        [2, 2],
        [3, 3],
      ],
    ],
    [
      'a stream that thinks first',
      { reasoning: true },
      [
        [1, 5],
        [2, 10],
        [3, 15],
      ],
    ],
    [
      'a whole answer',
      { stream: false },
      [
        [1, 10],
        [2, 20],
        [3, 30],
      ],
    ],
  ];
  for (const [name, request, bounds] of HANGS) {
    for (const [index, [sends, minutes]] of bounds.entries()) {
      test(`${name} from ${index + 1} that hang: ${sends} are sent in ${minutes} minutes`, async () => {
        const names = ['a', 'b', 'c'].slice(0, index + 1);
        const { failure, at, ...done } = await waited(names, { request });
        assert.deepEqual([failure.kind, done.sends], ['timeout', sends]);
        assert.ok(at <= minutes * MINUTE_MS + 5_000, `${at} ms`);
      });
    }
  }

  test('clocks that were set short leave room for all that may be paid', async () => {
    const { sends, at } = await waited(['a'], { settings: { firstByteTimeoutMs: 5_000 } });
    assert.equal(sends, 5);
    assert.ok(at < 2 * MINUTE_MS);
  });

  test('a host that takes no connection costs one clock where another is ready', async () => {
    const good = streamed(wordEvents('hello'));
    const { outcome, starts, at } = await runScriptedChat({
      plan: planned(['a', 'b'], {}),
      scripts: { a: [{ kind: 'refuse', afterMs: 10_000, code: 'CONNECT_TIMEOUT' }], b: [good] },
    });
    assert.ok(outcome.ok);
    assert.deepEqual([starts.length, at < 11_000], [2, true]);
  });

  test('quick failures are repeated as often as before', async () => {
    assert.equal((await waited(['a'], { play: refusedWith(500, { message: 'oh' }) })).sends, 5);
  });

  test('nobody waits for a task, which is tried as often as it may be paid', async () => {
    const { sends } = await waited(['a'], { plan: (plan) => ({ ...plan, unattended: true }) });
    assert.equal(sends, 5);
  });
});

suite('how long nobody waits for a provider’s word', () => {
  const later = (seconds: number) => refusedWith(429, { message: 'slow' }, { 'retry-after': String(seconds) });

  test('a hint of an hour is the caller’s to wait for, and is told', async () => {
    const { failure, sends, at } = await waited(['a'], { play: later(3_600) });
    assert.deepEqual([failure.kind, failure.certainty, sends], ['throttled', 'rejected', 1]);
    assert.ok(at < 1_000 && (failure.notBefore ?? 0) >= 3_600_000);
  });

  test('a hint of seconds is waited for', async () => {
    const plan = planned(['a'], {});
    const good = streamed(wordEvents('hello'));
    const { outcome, at } = await runScriptedChat({ plan, scripts: { a: [later(30), good] } });
    assert.ok(outcome.ok && at > 30_000);
  });

  test('who asked for a total clock waits as long as that, and so does a task', async () => {
    const asked = planned(['a'], {}, { totalTimeoutMs: 7_200_000 });
    const task: ChatPlan = { ...planned(['a'], {}), unattended: true };
    for (const plan of [asked, task]) {
      const good = streamed(wordEvents('hello'));
      const { outcome, at } = await runScriptedChat({ plan, scripts: { a: [later(3_600), good] } });
      assert.ok(outcome.ok && at > 3_600_000);
    }
  });

  test('a turn that is an hour away is told at once, one that is five minutes away is waited for', async () => {
    for (const [until, ends] of [
      [3_600_000, true],
      [300_000, false],
    ] as const) {
      let taken = 0;
      const turns = {
        ...FREE_TURNS,
        expect: () => (taken > 0 ? undefined : { until, reason: '10 a day are used' }),
        take: (...args: Parameters<typeof FREE_TURNS.take>) => {
          taken += 1;
          return FREE_TURNS.take(...args);
        },
      };
      const { outcome, durable } = await runScriptedChat({
        plan: sampleChatPlan(['a']),
        scripts: { a: [streamed(wordEvents('hello'))] },
        environment: { turns },
      });
      assert.equal(outcome.ok, !ends);
      if (!ends) continue;
      const failure = chatFailed(outcome);
      assert.deepEqual([failure.kind, failure.certainty, failure.notBefore], ['throttled', 'not_sent', until]);
      assert.match(failure.message, /a\/model may not be called within \d+ ms: .*10 a day are used/);
      assert.deepEqual(
        durable.map(({ type }: Event) => type),
        ['finished'],
      );
    }
  });
});

const ANY_FAILURE: readonly Behaviour[] = [
  HANG,
  { kind: 'unreachable' },
  { kind: 'refuse', afterMs: 10_000, code: 'CONNECT_TIMEOUT' },
  { kind: 'refuse', afterMs: 1 },
  { kind: 'reset', afterMs: 50_000 },
  { kind: 'reset', afterMs: 5 },
  refusedWith(429, { message: 'slow' }, { 'retry-after': '50' }),
  refusedWith(429, { message: 'slow' }, { 'retry-after': '500' }),
  refusedWith(503, { message: 'busy' }),
  refusedWith(500, { message: 'oh' }),
  streamed([], 'silence'),
  streamed([]),
  answered(''),
];

test('whatever goes wrong and in whatever order, sends, payments and the time before the end are bounded', async () => {
  const plays = fc.array(fc.constantFrom(...ANY_FAILURE), { minLength: 1, maxLength: 12 });
  const targets = fc.array(plays, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(targets, async (scripts) => {
      const names = ['a', 'b', 'c'].slice(0, scripts.length);
      const { starts, durable, at } = await runScriptedChat({
        plan: planned(names, {}),
        scripts: Object.fromEntries(names.map((name, index) => [name, scripts[index] ?? []])),
      });
      const ends = durable.flatMap((one) =>
        one.type === 'attempt-ended' && !one.outcome.ok ? [one.outcome.failure] : [],
      );
      const paid = ends.filter(({ certainty }) => certainty !== 'not_sent' && certainty !== 'rejected');
      assert.ok(paid.length <= 5, `${paid.length} paid`);
      // Four that cost nothing and five that may, at the last; before it two, or one of each.
      assert.ok(starts.length <= 9 + 2 * (names.length - 1), `${starts.length} sent`);
      // A clock at each and 150 s beyond, and at most eight waits of a minute between.
      assert.ok(at <= 60_000 * names.length + 150_000 + 8 * 60_000, `${at} ms`);
    }),
    { numRuns: 300 },
  );
});
