import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { explainError } from './explain.ts';
import { problemBody, requestProblemOf } from './problem.ts';

function server() {
  const app = Fastify();
  app.get('/v1/explain', explainError);
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 1_000);
    return problem ? reply.code(problem.status).send(problemBody(problem, 'req_1')) : reply.code(500).send();
  });
  return app;
}

async function ask(query: Readonly<Record<string, string>>) {
  const answer = await server().inject({ url: '/v1/explain', query });
  return { status: answer.statusCode, body: answer.json() };
}

test('an error is explained as JSON, in the catalogue’s words alone', async () => {
  const { status, body } = await ask({ text: 'invalid_api_key: sk-proj-CANARYCANARY' });
  assert.deepEqual([status, body.object, body.known, body.general], [200, 'explanation', true, null]);
  const [first] = body.data;
  assert.deepEqual([first.id, first.kind, first.who], ['openai/invalid-api-key', 'authentication', 'operator']);
  assert.deepEqual(first.retry, { useful: 'no', when: 'not before the key is right' });
  assert.doesNotMatch(JSON.stringify(body), /CANARY/);
});

test('the provider is believed', async () => {
  const { body } = await ask({ text: 'file_too_large', provider: 'foxapi' });
  assert.equal(body.data[0].id, 'foxapi/file');
});

test('what is unknown is no error of the request', async () => {
  const { status, body } = await ask({ text: 'xyzzy' });
  assert.deepEqual([status, body.known, body.data], [200, false, []]);
});

for (const [name, query, param] of [
  ['no text', {}, 'text'],
  ['an empty text', { text: ' ' }, 'text'],
  ['a text that is too long', { text: 'x'.repeat(65_537) }, 'text'],
  ['an unknown provider', { text: '429', provider: 'nobody' }, 'provider'],
] as const) {
  test(`${name} is refused with its field`, async () => {
    const { status, body } = await ask(query);
    assert.deepEqual([status, body.error.code, body.error.param], [400, 'invalid_value', param]);
  });
}
