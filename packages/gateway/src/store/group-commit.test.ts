import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreOverloadedError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
const same = (result: number) => result;

function open(maxQueued = 100) {
  const batches: (readonly number[])[] = [];
  const commit = createGroupCommit<number>({ post: (batch) => batches.push(batch), maxQueued });
  const settle = () => commit.settle({ results: batches.at(-1)?.map((one) => one * 10) ?? [], failures: [] });
  return { batches, commit, settle };
}

test('operations of one turn share a batch, and those that come while it is under way share the next', async () => {
  const { batches, commit, settle } = open();
  const first = [commit.submit(1, same), commit.submit(2, same)];
  await turn();
  const next = [commit.submit(3, same), commit.submit(4, same)];
  await turn();
  assert.deepEqual(batches, [[1, 2]]);
  settle();
  assert.deepEqual(await Promise.all(first), [10, 20]);
  await turn();
  assert.deepEqual(batches, [
    [1, 2],
    [3, 4],
  ]);
  settle();
  assert.deepEqual(await Promise.all(next), [30, 40]);
});

test('a batch is bounded, and the rest follows in order', async () => {
  const { batches, commit, settle } = open(10_000);
  const results = Array.from({ length: 2_500 }, (_, index) => commit.submit(index, same));
  for (let count = 0; count < 3; count += 1) {
    await turn();
    settle();
  }
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [1_000, 1_000, 500],
  );
  assert.deepEqual(
    await Promise.all(results),
    Array.from({ length: 2_500 }, (_, index) => index * 10),
  );
});

test('the queue is bounded by maxQueued, and takes again when there is room', async () => {
  const { commit, settle } = open(2);
  const underway = commit.submit(0, same);
  await turn();
  const queued = [commit.submit(1, same), commit.submit(2, same)];
  await assert.rejects(commit.submit(3, same), StoreOverloadedError);
  settle();
  await turn();
  const late = commit.submit(4, same);
  settle();
  await turn();
  settle();
  assert.deepEqual(await Promise.all([underway, ...queued, late]), [0, 10, 20, 40]);
});

test('one failure is one operation’s; a failed batch is everybody’s in it and nobody else’s', async () => {
  const { commit, settle } = open();
  const one = Promise.allSettled([commit.submit(1, same), commit.submit(2, same)]);
  await turn();
  commit.settle({ results: [10, undefined], failures: [{ index: 1, message: 'no' }] });
  assert.deepEqual(
    (await one).map((result) => result.status),
    ['fulfilled', 'rejected'],
  );
  const whole = Promise.allSettled([commit.submit(3, same), commit.submit(4, same)]);
  await turn();
  commit.reject(new Error('disk full'));
  assert.deepEqual(
    (await whole).map((result) => result.status),
    ['rejected', 'rejected'],
  );
  const after = commit.submit(5, same);
  await turn();
  settle();
  assert.equal(await after, 50);
});

test('a batch that cannot be posted is rejected, and the next one goes', async () => {
  let posts = 0;
  const commit = createGroupCommit<number>({
    maxQueued: 10,
    post: () => {
      posts += 1;
      if (posts === 1) throw new Error('cannot be cloned');
    },
  });
  await assert.rejects(commit.submit(1, same), /cannot be cloned/);
  const next = commit.submit(2, same);
  await turn();
  commit.settle({ results: [7], failures: [] });
  assert.equal(await next, 7);
});

test('what convert throws is the operation’s rejection', async () => {
  const { commit, settle } = open();
  const refused = commit.submit(1, () => {
    throw new RangeError('fence');
  });
  await turn();
  settle();
  await assert.rejects(refused, RangeError);
});

test('draining waits for everything taken and takes no more', async () => {
  const { commit, settle } = open();
  const taken = commit.submit(1, same);
  const drained = commit.drain(new Error('closed'));
  await assert.rejects(commit.submit(2, same), /closed/);
  await turn();
  settle();
  await drained;
  assert.equal(await taken, 10);
});
