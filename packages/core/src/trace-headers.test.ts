import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { cacheKey, shareKey } from './cache-key.ts';
import type { RunEnvironment } from './environment.ts';
import type { HttpRequest } from './http.ts';
import type { Event } from './journal.ts';
import type { TraceContext } from './plan.ts';
import { run } from './run.ts';
import { samplePlan } from './testing/samples.ts';
import { ACCEPTED_BODY, createWorld, GOOD_BODY, type Play } from './testing/simulated-world.ts';
import { withTraceHeaders } from './trace-headers.ts';

const TRACE: TraceContext = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
const traceHeaders: RunEnvironment['traceHeaders'] = (runId, attempt, { trace }) => ({
  traceparent: `${trace?.traceparent} ${runId} ${attempt}`,
});

const answer = (status: number, body: string, afterMs = 10): Play => ({
  truth: status === 200 ? 'good' : 'free',
  behaviour: { kind: 'answer', afterMs, status, body },
});
const REFUSED = '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}';

interface Setting {
  readonly submits: readonly Play[];
  readonly polls?: readonly Play[];
  readonly environment?: (own: RunEnvironment) => Partial<RunEnvironment>;
  readonly policy?: Parameters<typeof samplePlan>[1];
}

async function played({ submits, polls = [], environment = () => ({}), policy = {} }: Setting) {
  const plan = { ...samplePlan(['a'], policy), trace: TRACE };
  const made = createWorld({
    ...{ plan, scripts: { 'a/model': { submits, polls } } },
    ...{ journalMs: 1, presenceTurnsMs: [], cancelMs: undefined },
  });
  const { io } = made.environment;
  const sent: HttpRequest[] = [];
  const send: typeof io.send = (request, ...rest) => {
    sent.push(request);
    return io.send(request, ...rest);
  };
  const whole: RunEnvironment = { ...made.environment, io: { ...io, send } };
  await made.io.drive(run('gen_1.0', plan, made.journal, { ...whole, ...environment(whole) }));
  return { sent, durable: made.durable };
}

const told = (sent: readonly HttpRequest[]) => sent.map(({ headers }) => headers.traceparent);

suite('the trace of a call', () => {
  test('is told to the provider with every call of its attempt, and says which attempt it is', async () => {
    const { sent } = await played({
      submits: [answer(429, REFUSED), { truth: 'accepted', behaviour: { ...answer(200, ACCEPTED_BODY).behaviour } }],
      polls: [answer(200, GOOD_BODY)],
      environment: () => ({ traceHeaders }),
    });
    const attempt = (number: number) => `${TRACE.traceparent} gen_1.0 ${number}`;
    assert.deepEqual(told(sent), [attempt(1), attempt(2), attempt(2)]);
  });

  test('is nobody’s business where nobody asked for it to be told', async () => {
    const { sent } = await played({ submits: [answer(200, GOOD_BODY)] });
    assert.deepEqual(told(sent), [undefined]);
  });

  test('says nothing of what is made: the cache does not know it', () => {
    const plain = samplePlan(['a', 'b']);
    const traced = { ...plain, trace: TRACE };
    const [target] = plain.targets;
    assert.ok(target);
    assert.equal(cacheKey(traced, target, { caller: 'app' }), cacheKey(plain, target, { caller: 'app' }));
    assert.equal(shareKey(traced, 'app'), shareKey(plain, 'app'));
  });

  test('stays with the provider’s own address, and never displaces a header', () => {
    const work = { runId: 'gen_1.0', attempt: 1, plan: { ...samplePlan(['a']), trace: TRACE } };
    const to = (url: string, headers: Record<string, string> = {}) =>
      withTraceHeaders(
        { method: 'GET', url, headers },
        { ...work, environment: { traceHeaders } },
        { baseUrl: 'https://api.a.example/v1' },
      ).headers.traceparent;
    assert.ok(to('https://api.a.example/v1/jobs/1?x=1'));
    assert.equal(to('https://api.a.example/v1', { traceparent: 'its own' }), 'its own');
    for (const url of [
      'https://storage.a.example/upload?sig=1',
      'http://api.a.example/v1',
      'https://api.a.example:8443/v1',
      'https://api.a.example.evil.example/v1',
      'not a url',
    ])
      assert.equal(to(url), undefined, url);
  });
});

suite('how long pictures take to verify', () => {
  const timingOf = (events: readonly Event[]) => events.find((event) => event.type === 'attempt-ended')?.timing;

  test('is told with the other stages of an attempt, and is none of them', async () => {
    const { durable } = await played({
      submits: [answer(200, GOOD_BODY, 40)],
      policy: { suspect: 'accept' },
      environment: ({ io }) => ({
        look: async () => {
          await new Promise<void>((resolve) => void io.timer(io.now() + 30, resolve));
          return { problem: 'busy', detail: 'not here' } as const;
        },
      }),
    });
    const { verifyMs, firstByteMs, bodyMs } = timingOf(durable) ?? {};
    assert.deepEqual([verifyMs, firstByteMs, bodyMs], [30, 40, 0]);
  });

  test('is absent where no picture came', async () => {
    const { durable } = await played({ submits: [answer(400, '{"error":{"message":"no"}}')] });
    const timing = timingOf(durable);
    assert.ok(timing && !('verifyMs' in timing));
  });
});
