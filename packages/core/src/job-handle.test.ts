import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldRun } from './journal.ts';
import { numberAt, stringAt } from './json.ts';
import { parseImages } from './providers/openai.ts';
import type { ImageCalls, PollCall, Progress } from './providers/provider.ts';
import { failed, ok, post, refused, runScripted } from './testing/scripted-calls.ts';
import { GOOD_BODY } from './testing/simulated-world.ts';

/** A job whose next look goes where the last one said. */
const submit: ImageCalls['submit'] = {
  build: (_input, { baseUrl }) => post(baseUrl, 'images', {}),
  parse: ({ body }) => ({ kind: 'waiting', handle: { at: stringAt(body, 'at') ?? '' }, pollAfterMs: 1_000 }),
};
const poll: PollCall = {
  build: (handle, { baseUrl }) => ({ method: 'GET', url: `${baseUrl}/${stringAt(handle, 'at')}`, headers: {} }),
  parse(response): Progress {
    const at = stringAt(response.body, 'at');
    if (at === undefined) return parseImages(response);
    return { kind: 'waiting', handle: { at }, pollAfterMs: numberAt(response.body, 'after') ?? 1_000 };
  },
};
const GOOD = ok(GOOD_BODY);
const ACCEPTED = ok({ at: 'first' });

test('a look that changes where the next one goes is journaled before that one is sent', async () => {
  const polls = [ok({ at: 'first' }), ok({ at: 'second' }), ok({ at: 'second' }), GOOD];
  const { outcome, requests, durable } = await runScripted({ submits: [ACCEPTED], polls, calls: { submit, poll } });
  assert.ok(outcome.ok);
  assert.deepEqual(
    requests.slice(1).map(({ url }) => new URL(url).pathname),
    ['/first', '/first', '/second', '/second'],
  );
  const polled = durable.filter((event) => event.type === 'polled');
  assert.deepEqual(
    polled.map(({ handle }) => handle),
    [{ at: 'second' }],
  );
});

test('after a restart the next look goes where the last journaled one said', async () => {
  const first = await runScripted({
    ...{ submits: [ACCEPTED], polls: [ok({ at: 'second' }), GOOD], calls: { submit, poll } },
  });
  const at = first.durable.findIndex((event) => event.type === 'polled');
  const past = first.durable.slice(0, at + 1);
  assert.deepEqual(foldRun(past).attempts[0]?.handle, { at: 'second' });
  const again = await runScripted({ submits: [], polls: [GOOD], calls: { submit, poll }, past, startAt: 60_000 });
  assert.ok(again.outcome.ok);
  assert.deepEqual(
    again.requests.map(({ url }) => new URL(url).pathname),
    ['/second'],
  );
});

test('a look whose answer is an error and yet the job’s end ends the job; any other error does not', async () => {
  const verdict: PollCall['verdict'] = (response) =>
    response.status === 422
      ? { kind: 'policy', certainty: 'completed', message: 'moderated', stage: 'output' }
      : undefined;
  const judged = { submit, poll: { ...poll, verdict } };
  const { outcome, requests } = await runScripted({
    submits: [ACCEPTED],
    polls: [refused(500), refused(422), GOOD],
    calls: judged,
  });
  const { kind, certainty, stage, status } = failed(outcome);
  assert.deepEqual([kind, certainty, stage, status], ['policy', 'completed', 'output', 422]);
  assert.equal(requests.length, 3);
  const patient = await runScripted({
    submits: [ACCEPTED],
    polls: [refused(500), refused(422), GOOD],
    calls: { submit, poll },
  });
  assert.ok(patient.outcome.ok, 'without a verdict the looks go on');
});

test('a job that is done with some pictures missing is a success that says so', async () => {
  const partial: PollCall = {
    ...poll,
    parse: (response, handle, context) => {
      const progress = poll.parse(response, handle, context);
      return progress.kind === 'done'
        ? { ...progress, missing: [{ kind: 'policy', message: 'one was blocked' }] }
        : progress;
    },
  };
  const { outcome } = await runScripted({ submits: [ACCEPTED], polls: [GOOD], calls: { submit, poll: partial } });
  assert.ok(outcome.ok);
  assert.deepEqual(
    outcome.missing?.map(({ kind }) => kind),
    ['policy'],
  );
});
