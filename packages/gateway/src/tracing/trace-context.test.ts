import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RunPlan, TraceContext } from '@onetake/core';
import fc from 'fast-check';
import { cachedPlan } from '../testing/cache-world.ts';
import {
  attemptSpanId,
  generationSpanId,
  readTraceContext,
  traceBelow,
  traceHeaders,
  tracePlace,
} from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PARENT = `00-${TRACE}-${SPAN}-01`;

suite('the trace a request belongs to', () => {
  test('is read, with what vendors say of it', () => {
    assert.deepEqual(readTraceContext({ traceparent: PARENT, tracestate: 'congo=t61rcWkgMzE' }), {
      traceparent: PARENT,
      tracestate: 'congo=t61rcWkgMzE',
    });
  });

  test('flags that this version does not know are not passed on', () => {
    assert.equal(readTraceContext({ traceparent: `00-${TRACE}-${SPAN}-fe` })?.traceparent, `00-${TRACE}-${SPAN}-00`);
  });

  test('a later version is read as far as it is known', () => {
    assert.equal(readTraceContext({ traceparent: `cc-${TRACE}-${SPAN}-01-more` })?.traceparent, PARENT);
  });

  for (const [why, traceparent] of Object.entries({
    'nothing was said': undefined,
    'it is empty': '',
    'the version is forbidden': `ff-${TRACE}-${SPAN}-01`,
    'this version says no more': `${PARENT}-more`,
    'the trace id is all zeros': `00-${'0'.repeat(32)}-${SPAN}-01`,
    'the span id is all zeros': `00-${TRACE}-${'0'.repeat(16)}-01`,
    'it is in upper case': PARENT.toUpperCase(),
    'it was sent twice': `${PARENT}, ${PARENT}`,
    'the trace id is short': `00-${TRACE.slice(1)}-${SPAN}-01`,
  })) {
    test(`is none where ${why}`, () => {
      assert.equal(readTraceContext({ traceparent }), undefined);
    });
  }

  test('what vendors say is left out where it is too long, too much or not text', () => {
    for (const tracestate of ['a='.padEnd(513, 'x'), Array(33).fill('a=1').join(','), 'a=\r\nb', ' '])
      assert.deepEqual(readTraceContext({ traceparent: PARENT, tracestate }), { traceparent: PARENT });
  });

  test('is never taken from what is not one', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (traceparent) => {
        const read = readTraceContext({ traceparent });
        assert.ok(read === undefined || /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(read.traceparent));
      }),
    );
  });
});

suite('the place of a generation', () => {
  const plan = (trace?: TraceContext): RunPlan => ({ ...cachedPlan('a fox'), ...(trace && { trace }) });

  test('is in its caller’s trace, and else in one of its own that is always the same', () => {
    assert.deepEqual(tracePlace('gen_1', { traceparent: PARENT }), {
      traceId: TRACE,
      parentSpanId: SPAN,
      isSampled: true,
    });
    const own = tracePlace('gen_1', undefined);
    assert.deepEqual(own, tracePlace('gen_1', undefined));
    assert.match(own.traceId, /^[0-9a-f]{32}$/);
    assert.notEqual(own.traceId, tracePlace('gen_2', undefined).traceId);
  });

  test('every span has an id of its own', () => {
    const ids = [
      generationSpanId('gen_1'),
      ...[0, 1, 2].flatMap((run) => [1, 2, 11].map((attempt) => attemptSpanId('gen_1', run, attempt))),
    ];
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => /^[0-9a-f]{16}$/.test(id)));
  });

  test('what is asked for its sake stands below it', () => {
    const traceparent = `00-${TRACE}-${generationSpanId('gen_1')}-01`;
    assert.deepEqual(traceBelow('gen_1', { traceparent: PARENT, tracestate: 'a=1' }), {
      traceparent,
      tracestate: 'a=1',
    });
    assert.equal(tracePlace('gen_2', traceBelow('gen_1', undefined)).traceId, tracePlace('gen_1', undefined).traceId);
  });

  test('a provider is told the span of the attempt, and whether the trace is kept', () => {
    const told = traceHeaders('gen_1.2', 3, plan({ traceparent: `00-${TRACE}-${SPAN}-00`, tracestate: 'a=1' }));
    assert.deepEqual(told, { traceparent: `00-${TRACE}-${attemptSpanId('gen_1', 2, 3)}-00`, tracestate: 'a=1' });
    const { traceId } = tracePlace('gen_1', undefined);
    assert.deepEqual(traceHeaders('gen_1.0', 1, plan()), {
      traceparent: `00-${traceId}-${attemptSpanId('gen_1', 0, 1)}-01`,
    });
  });
});
