import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { OverReading } from './reading.ts';
import {
  type AlertMessage,
  type AlertPolicy,
  type AlertState,
  EMPTY_STATE,
  keyOf,
  type Silence,
  step,
} from './state.ts';
import { HOUR, MINUTE, over, samplePolicy } from './testing/policy.ts';

/** Steps through what is over at which minute, and says which changes were told at which. */
function play(
  looks: readonly (readonly [minute: number, readings: readonly OverReading[]])[],
  { policy = samplePolicy(), state = EMPTY_STATE }: { policy?: AlertPolicy; state?: AlertState } = {},
) {
  const told: string[] = [];
  let current = state;
  for (const [minute, readings] of looks) {
    const { state: next, messages } = step(current, readings, minute * MINUTE, policy);
    told.push(...messages.map(({ change, row }) => `${minute} ${change}${row.subject && ` ${row.subject}`}`));
    current = next;
  }
  return { told, state: current };
}

function minutes(from: number, to: number, readings: readonly OverReading[]) {
  return Array.from({ length: to - from + 1 }, (_, index) => [from + index, readings] as const);
}

suite('one alert from its beginning to its end', () => {
  test('it is told once when it was over for as long as its rule asks, and once when it is over', () => {
    const { told, state } = play([...minutes(0, 9, [over()]), ...minutes(10, 20, [])]);
    assert.deepEqual(told, ['1 fired', '12 recovered']);
    assert.deepEqual(state.rows, []);
  });

  test('what was over for less is told to nobody', () => {
    const { told, state } = play([
      [0, [over()]],
      [0.5, []],
      [1, [over()]],
      [1.5, []],
    ]);
    assert.deepEqual([told, state.rows], [[], []]);
  });

  test('what a clock told that was ahead does not use up the messages of now', () => {
    const policy = samplePolicy({ maxMessagesPerMinute: 1 });
    const { told } = play(minutes(0, 1, [over()]), { policy, state: { ...EMPTY_STATE, sentAt: [9 * HOUR] } });
    assert.deepEqual(told, ['1 fired']);
  });

  test('what flaps faster than it recovers stays one alert', () => {
    const looks = Array.from(
      { length: 30 },
      (_, index) => [index, index % 2 === 0 || index < 4 ? [over()] : []] as const,
    );
    const { told } = play([...looks, ...minutes(30, 40, [])]);
    assert.deepEqual(told, ['1 fired', '31 recovered']);
  });

  test('reminders come after one hour, four more, and then every day', () => {
    const { told } = play(minutes(0, 60 * 24 * 3, [over()]));
    assert.deepEqual(told, ['1 fired', '61 reminder', '301 reminder', '1741 reminder', '3181 reminder']);
  });

  test('a budget that fills is told at each of its levels, once, and never as it empties', () => {
    const at = (severity: OverReading['severity']) => [over({ rule: 'budget', subject: 'app', severity })];
    const { told } = play([
      [0, at('notice')],
      [1, at('warning')],
      [2, at('notice')],
      [3, at('warning')],
      [4, at('critical')],
      [5, at('critical')],
      [6, []],
      [9, []],
    ]);
    assert.deepEqual(told, ['0 fired app', '1 raised app', '4 raised app', '9 recovered app']);
  });

  test('a breaker says nothing new where the same failure again and again was told of its target', () => {
    const repeated = over({ rule: 'repeated_failure', subject: 'openai/x' });
    const open = over({ rule: 'breaker_open', subject: 'openai/x' });
    const { told } = play([...minutes(0, 5, [repeated, open]), ...minutes(6, 12, [open]), ...minutes(13, 20, [])]);
    assert.deepEqual(told, ['0 fired openai/x', '8 recovered openai/x', '9 fired openai/x', '15 recovered openai/x']);
    const other = { ...open, subject: 'openai/y' };
    assert.deepEqual(play(minutes(0, 2, [repeated, other])).told, ['0 fired openai/x', '1 fired openai/y']);
  });

  test('a rule that is off any more takes its alerts with it', () => {
    const { state } = play(minutes(0, 2, [over()]));
    const { told, state: next } = play([[3, []]], { state, policy: samplePolicy({ rules: {} }) });
    assert.deepEqual([told, next.rows], [[], []]);
  });
});

suite('silence', () => {
  const silent = (untilMinute: number, change: Partial<Silence> = {}): AlertState => ({
    ...EMPTY_STATE,
    silences: [{ rule: 'failure_rate', until: untilMinute * MINUTE, ...change }],
  });

  test('nothing is told while it lasts, and what still holds then is told once', () => {
    const { told } = play(minutes(0, 70, [over()]), { state: silent(60) });
    assert.deepEqual(told, ['60 fired']);
  });

  test('what was told before is told once more, and what came and went not at all', () => {
    const { state } = play(minutes(0, 2, [over()]));
    const silenced = { ...state, silences: silent(30).silences };
    assert.deepEqual(play(minutes(3, 40, [over()]), { state: silenced }).told, ['30 reminder']);
    const reminded = play(minutes(3, 100, [over()]), { state: { ...state, silences: silent(80).silences } });
    assert.deepEqual(reminded.told, ['80 reminder']);
    const gone = play([...minutes(0, 10, [over()]), ...minutes(11, 40, [])], { state: silent(30) });
    assert.deepEqual([gone.told, gone.state.rows], [[], []]);
  });

  test('a recovery that it kept back is told when it ends', () => {
    const { state } = play(minutes(0, 2, [over()]));
    const silenced = { ...state, silences: silent(30).silences };
    assert.deepEqual(play(minutes(3, 40, []), { state: silenced }).told, ['30 recovered']);
  });

  test('of one subject it leaves the others', () => {
    const [app, web] = ['app', 'web'].map((subject) => over({ rule: 'budget', subject }));
    const both = [app, web].filter((one) => one !== undefined);
    assert.deepEqual(play([[0, both]], { state: silent(9, { rule: 'budget', subject: 'app' }) }).told, ['0 fired web']);
  });
});

test('beyond the bound of a minute the gravest go first, and the rest wait for their turn', () => {
  const policy = samplePolicy({ maxMessagesPerMinute: 2 });
  const all = (['notice', 'warning', 'critical', 'notice'] as const).map((severity, index) =>
    over({ rule: 'budget', subject: `k${index}`, severity }),
  );
  const { told } = play(
    [
      [0, all],
      [0.5, all],
      [1, all],
      [2, []],
      [3, []],
      [4, []],
      [5, []],
    ],
    { policy },
  );
  assert.deepEqual(told.slice(0, 4), ['0 fired k2', '0 fired k1', '1 fired k0', '1 fired k3']);
  assert.deepEqual(told.slice(4).toSorted(), ['4 recovered k1', '4 recovered k2', '5 recovered k0', '5 recovered k3']);
});

test('whatever happens, messages alternate, reminders keep their distance, and silence is kept', () => {
  const severity = fc.constantFrom('notice', 'warning', 'critical') as fc.Arbitrary<OverReading['severity']>;
  const look = fc.record({
    afterMs: fc.integer({ min: 1_000, max: 40 * MINUTE }),
    over: fc.uniqueArray(fc.record({ subject: fc.constantFrom('a', 'b', 'c'), severity }), {
      selector: ({ subject }) => subject,
    }),
    silence: fc.option(
      fc.record({ subject: fc.constantFrom('a', 'b', undefined), ms: fc.integer({ max: 3 * HOUR, min: 0 }) }),
      {
        freq: 4,
      },
    ),
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (looks, maxMessagesPerMinute) => {
      const policy = samplePolicy({ maxMessagesPerMinute });
      let [state, now]: [AlertState, number] = [EMPTY_STATE, 0];
      const last = new Map<string, AlertMessage>();
      const sent: number[] = [];
      for (const { afterMs, over: found, silence } of looks) {
        now += afterMs;
        if (silence) {
          const { subject, ms } = silence;
          const until = now + ms;
          state = { ...state, silences: [{ rule: 'budget', until, ...(subject !== undefined && { subject }) }] };
        }
        const readings = found.map((one) => over({ rule: 'budget', ...one }));
        const { state: next, messages } = step(state, readings, now, policy);
        for (const message of messages) {
          const { subject } = message.row;
          assert.ok(!state.silences.some((one) => one.until > now && (one.subject ?? subject) === subject), 'silenced');
          assertFollows(last.get(subject), message, state);
          last.set(subject, message);
          sent.push(now);
        }
        assert.ok(sent.filter((at) => at > now - MINUTE).length <= maxMessagesPerMinute);
        assert.ok(next.rows.length <= 3 && new Set(next.rows.map(keyOf)).size === next.rows.length);
        assert.deepEqual(JSON.parse(JSON.stringify(next)), next, 'plain JSON');
        state = next;
      }
    }),
    { numRuns: 300 },
  );
});

/** Between `fired` and `recovered` come only raises, and reminders an hour apart unless a silence kept one back. */
function assertFollows(before: AlertMessage | undefined, { change, row, at }: AlertMessage, state: AlertState): void {
  const isOpen = before !== undefined && before.change !== 'recovered';
  assert.equal(change === 'fired', !isOpen, `${before?.change} and then ${change}`);
  const wasMuted = state.rows.find((one) => keyOf(one) === keyOf(row))?.isMuted === true;
  if (change === 'reminder' && !wasMuted) assert.ok(at - (before?.at ?? 0) >= HOUR, 'too soon');
}
