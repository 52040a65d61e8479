import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, FAILURES, type Failure, type FailureKind, foldGeneration } from '@onetake/core';
import Fastify from 'fastify';
import { samplePlan } from '../store/contract/samples.ts';
import {
  failureBody,
  failureHeaders,
  problemBody,
  problemHeaders,
  RequestProblem,
  requestProblemOf,
} from './problem.ts';

const THROTTLED: Failure = {
  kind: 'throttled',
  certainty: 'rejected',
  message: 'slow down',
  notBefore: 11_200,
  status: 429,
};

function failed(failure: Failure): readonly Event[] {
  const outcome = { ok: false, failure } as const;
  return [
    { type: 'attempt-started', at: 1_000, attempt: 1, target: 'openai/gpt-image-2' },
    { type: 'attempt-ended', at: 1_700, attempt: 1, outcome, requestId: 'req_upstream' },
    { type: 'finished', at: 2_000, outcome },
  ];
}

test('a request problem becomes the envelope with null where OpenAI says null', () => {
  const body = problemBody(new RequestProblem(400, 'invalid_value', 'n: 0 is not 1 to 10', { param: 'n' }), 'req_1');
  assert.deepEqual(body, {
    error: { message: 'n: 0 is not 1 to 10', type: 'invalid_request_error', code: 'invalid_value', param: 'n' },
    onetake: { request_id: 'req_1' },
  });
  const without = problemBody(new RequestProblem(404, 'not_found', 'no such path'), 'req_2');
  assert.deepEqual(without.error, {
    message: 'no such path',
    type: 'not_found_error',
    code: 'not_found',
    param: null,
  });
});

test('a request problem is never repeated and carries its own headers', () => {
  const problem = new RequestProblem(401, 'invalid_api_key', 'no', { headers: { 'www-authenticate': 'Bearer' } });
  assert.equal(problem.type, 'authentication_error');
  assert.deepEqual(problemHeaders(problem), { 'x-should-retry': 'false', 'www-authenticate': 'Bearer' });
});

test('a failure tells its attempts, its bill and its wait, all from the journal', () => {
  const telling = { id: 'gen_1', plan: samplePlan(), generation: foldGeneration([failed(THROTTLED)]) };
  const body = failureBody(THROTTLED, { requestId: 'req_1', telling });
  assert.deepEqual(body, {
    error: { message: 'slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded', param: null },
    onetake: {
      request_id: 'req_1',
      generation: 'gen_1',
      kind: 'throttled',
      certainty: 'rejected',
      billed: 'no',
      provider: 'openai',
      attempts: [
        {
          attempt: 1,
          target: 'openai/gpt-image-2',
          at: 1_000,
          ms: 700,
          status: 429,
          kind: 'throttled',
          certainty: 'rejected',
          request_id: 'req_upstream',
        },
      ],
      retry_after_ms: 9_200,
      advice: FAILURES.throttled.advice,
    },
  });
  assert.deepEqual(failureBody(THROTTLED, { requestId: 'req_1', telling, now: 99 }), body);
});

test('children are told apart, and an attempt that is still open has no verdict', () => {
  const open: readonly Event[] = [{ type: 'attempt-started', at: 5, attempt: 1, target: 'a/b' }];
  const telling = { id: 'gen_1', plan: samplePlan(), generation: foldGeneration([failed(THROTTLED), open]) };
  const { onetake } = failureBody(THROTTLED, { requestId: 'r', telling, now: 0 });
  const { attempts } = onetake as unknown as { attempts: readonly object[] };
  assert.deepEqual(attempts[1], { run: 1, attempt: 1, target: 'a/b', at: 5 });
});

test('only a 429 or 503 that spent nothing and says when may be repeated; a quota says when, and that it may not', () => {
  assert.deepEqual(failureHeaders(THROTTLED, 10_000), { 'retry-after': '2', 'retry-after-ms': '1200' });
  assert.deepEqual(failureHeaders(THROTTLED, 12_000), { 'retry-after': '1', 'retry-after-ms': '0' });
  assert.deepEqual(failureHeaders({ ...THROTTLED, kind: 'quota' }, 10_000), {
    'x-should-retry': 'false',
    'retry-after': '2',
    'retry-after-ms': '1200',
  });
  const { notBefore: _, ...unhinted } = THROTTLED;
  assert.deepEqual(failureHeaders(unhinted, 0), { 'x-should-retry': 'false' });
  assert.deepEqual(failureHeaders({ ...THROTTLED, kind: 'server', certainty: 'ambiguous' }, 0), {
    'x-should-retry': 'false',
  });
});

test('every kind of failure has an envelope with a message, a type and a code', () => {
  for (const kind of Object.keys(FAILURES) as FailureKind[]) {
    const { error } = failureBody({ kind, certainty: FAILURES[kind].certainty, message: 'why' }, { requestId: 'r' });
    const { message, type, code, param } = error as Record<string, unknown>;
    assert.deepEqual([message, typeof type, typeof code, param], ['why', 'string', 'string', null], kind);
  }
});

test('what Fastify refuses is told in the same envelope', async (context) => {
  const app = Fastify({ bodyLimit: 100 });
  context.after(() => app.close());
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 100);
    return reply.code(problem?.status ?? 500).send(problem ? problemBody(problem, 'r') : {});
  });
  app.removeContentTypeParser('text/plain');
  app.post('/', () => ({}));
  const code = async (headers: Record<string, string>, payload: string) => {
    const answer = await app.inject({ method: 'POST', url: '/', headers, payload });
    return [answer.statusCode, answer.json().error?.code];
  };
  const json = { 'content-type': 'application/json' };
  assert.deepEqual(await code(json, '{"prompt": "a'), [400, 'invalid_body']);
  assert.deepEqual(await code(json, ''), [400, 'invalid_body']);
  assert.deepEqual(await code(json, '{"__proto__": {"n": 1}}'), [400, 'invalid_body']);
  assert.deepEqual(await code(json, JSON.stringify('x'.repeat(200))), [413, 'file_too_large']);
  assert.deepEqual(await code({ 'content-type': 'text/plain' }, 'hello'), [415, 'unsupported_media_type']);
  assert.equal(requestProblemOf(new Error('ours'), 100), undefined);
  const badUrl = Object.assign(new Error('/%zz?key=geheim'), { statusCode: 400, code: 'FST_ERR_BAD_URL' });
  assert.match(requestProblemOf(badUrl, 100)?.message ?? '', /^path: it does not decode; [^?]+$/);
});
