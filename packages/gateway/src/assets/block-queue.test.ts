import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBlockPool } from './block-pool.ts';
import { createBlockQueue } from './block-queue.ts';

test('bytes are written in order and in blocks, though every chunk is overwritten after its call', async () => {
  const lengths = fc.array(fc.nat({ max: 40 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(lengths, async (chunkLengths) => {
      const written: Buffer[] = [];
      const queue = createBlockQueue(
        async (block) => {
          await Promise.resolve();
          written.push(Buffer.from(block));
        },
        createBlockPool(16, 2),
      );
      const given: Buffer[] = [];
      for (const [index, length] of chunkLengths.entries()) {
        const chunk = Buffer.alloc(length, index + 1);
        given.push(Buffer.from(chunk));
        const wait = queue.add(chunk);
        chunk.fill(0);
        await wait;
      }
      await queue.flush();
      assert.deepEqual(Buffer.concat(written), Buffer.concat(given));
      assert.ok(written.slice(0, -1).every((block) => block.length === 16));
    }),
  );
});

test('a write that fails is told to whoever adds or flushes next, and dropping is no error', async () => {
  const queue = createBlockQueue(() => Promise.reject(new Error('no space')), createBlockPool(4, 1));
  await assert.rejects(async () => queue.add(Buffer.alloc(4)), /no space/);
  await assert.rejects(queue.flush(), /no space/);
  await queue.drop();
});

test('what is dropped is not written, and its block is used again', async () => {
  const pool = createBlockPool(4, 1);
  const queue = createBlockQueue(() => assert.fail('written'), pool);
  const block = pool.take();
  pool.give(block);
  queue.add(Buffer.alloc(3));
  await queue.drop();
  await queue.flush();
  assert.equal(pool.take(), block);
  assert.notEqual(pool.take(), block);
});
