import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Behaviour, Sent } from '@onetake/core/testing';
import { answer, START, scene } from './testing/scene.ts';

function hostOf({ request }: Pick<Sent, 'request'>): string {
  return new URL(request.url).hostname;
}

/** How many exchanges of `ms` each were open together at most. */
function mostAtOnce(sent: readonly Sent[], ms: number): number {
  return Math.max(...sent.map(({ at }) => sent.filter((other) => other.at <= at && at < other.at + ms).length));
}

suite('many deliveries', () => {
  test('no more than 16 at once, and no more than 4 to one host', async () => {
    const { io, put, settled } = scene({ play: () => ({ ...answer(200), afterMs: 100 }) as Behaviour });
    for (let index = 0; index < 120; index += 1) {
      await put(`evt_${index}`, { generation: `gen_${index}`, url: `https://h${index % 6}.example/` });
    }
    await settled();
    assert.equal(io.sent.length, 120);
    assert.equal(mostAtOnce(io.sent, 100), 16);
    for (let host = 0; host < 6; host += 1) {
      const own = io.sent.filter((sent) => hostOf(sent) === `h${host}.example`);
      assert.equal(own.length, 20);
      assert.ok(mostAtOnce(own, 100) <= 4);
    }
  });

  test('one quick host gets a thousand as fast as it takes them, each once', async () => {
    const { io, put, settled } = scene({ play: () => answer(200) });
    for (let index = 0; index < 1_000; index += 1) await put(`evt_${index}`, { generation: `gen_${index}` });
    await settled();
    assert.equal(new Set(io.sent.map(({ request }) => request.headers['webhook-id'])).size, 1_000);
    assert.equal(io.sent.length, 1_000);
    assert.equal(io.now() - START, (1_000 / 4) * 10);
  });

  test('a dead host with a long backlog does not hold up the others', async () => {
    const play = (request: Sent['request']): Behaviour =>
      hostOf({ request }) === 'dead.example' ? { kind: 'unreachable' } : answer(200);
    const { io, outbox, put, start } = scene({ play });
    for (let index = 0; index < 3_000; index += 1) {
      await put(`evt_${index}`, { generation: `gen_${index}`, url: 'https://dead.example/', at: START - 1_000 });
    }
    await put('evt_good', { generation: 'gen_good', url: 'https://good.example/' });
    const deliverer = start();
    await io.drive(outbox.until(() => outbox.row('evt_good')?.state === 'delivered'));
    assert.ok(io.now() - START < 20_000, `${io.now() - START} ms`);
    assert.ok(io.sent.length < 20);
    await io.drive(deliverer.stop());
  });
});

suite('when something ends', () => {
  test('what is in flight when it stops is settled, the rest stays due', async () => {
    const { io, outbox, put, start } = scene({ play: () => answer(200) });
    for (let index = 0; index < 10; index += 1) await put(`evt_${index}`, { generation: `gen_${index}` });
    const deliverer = start();
    await io.drive(new Promise<void>((resolve) => io.timer(START + 5, resolve)));
    await io.drive(deliverer.stop());
    const rows = await outbox.listWebhooks({ limit: 100 });
    assert.equal(rows.filter(({ state }) => state === 'delivered').length, 4);
    assert.equal(rows.filter(({ state }) => state === 'waiting').length, 6);
    await put('evt_late');
    assert.equal(io.sent.length, 4);
  });

  test('a store that fails for a moment is asked again; what it could not note is sent again after its lease', async () => {
    const { io, outbox, put, settled, logged } = scene({ play: () => answer(200) });
    const failOnce = <Args extends readonly unknown[], Result>(verb: (...args: Args) => Promise<Result>) => {
      let failed = false;
      return async (...args: Args) => {
        if (failed) return verb(...args);
        failed = true;
        throw new Error('busy');
      };
    };
    Object.assign(outbox, {
      dueWebhooks: failOnce(outbox.dueWebhooks),
      settleWebhook: failOnce(outbox.settleWebhook),
    });
    await put('evt_1');
    const [row] = await settled();
    assert.deepEqual([row?.state, row?.tries, logged.length], ['delivered', 1, 2]);
    assert.deepEqual(
      io.sent.map(({ request, at }) => [request.headers['webhook-id'], at - START]),
      [
        ['evt_1', 5_000],
        ['evt_1', 65_000],
      ],
    );
  });
});
